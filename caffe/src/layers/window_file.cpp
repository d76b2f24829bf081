#include "window_file.hpp"

#include "caffe/util/io.hpp"

namespace caffe {
namespace {

// The words of a file, each with its line.
class Words {
 public:
  explicit Words(const string& filename) : filename_(filename), stream_(OpenFile(filename)) {}

  // Whether there is another word.
  bool Skip() {
    while (std::ws(words_).eof()) {
      string text;
      if (!std::getline(stream_, text)) return false;
      ++line_;
      words_.clear();
      words_.str(text);
    }
    return true;
  }

  string Text(const char* what) {
    CAFFE_REQUIRE(Skip()) << filename_ << ": ends where " << what << " is expected";
    string word;
    words_ >> word;
    return word;
  }

  template <typename Number>
  Number Get(const char* what) {
    const string word = Text(what);
    std::istringstream text(word);
    Number number;
    CAFFE_REQUIRE(text >> number && text.peek() == std::istringstream::traits_type::eof())
        << filename_ << ":" << line_ << ": expected " << what << ", found \"" << word << "\"";
    return number;
  }

  int line() const { return line_; }

 private:
  string filename_;
  std::ifstream stream_;
  std::istringstream words_{""};
  int line_ = 0;
};

WindowFileBox ReadBox(Words* words) {
  WindowFileBox box;
  box.label = words->Get<int>("the class of a window");
  box.overlap = words->Get<float>("the overlap of a window");
  box.x1 = words->Get<int>("x1 of a window");
  box.y1 = words->Get<int>("y1 of a window");
  box.x2 = words->Get<int>("x2 of a window");
  box.y2 = words->Get<int>("y2 of a window");
  return box;
}

}  // namespace

vector<WindowFileImage> ReadWindowFile(const string& filename) {
  Words words(filename);
  vector<WindowFileImage> images;
  while (words.Skip()) {
    const string mark = words.Text("#");
    CAFFE_REQUIRE(mark == "#") << filename << ":" << words.line() << ": expected \"# <image index>\", found \"" << mark
                               << "\"";
    words.Get<int>("the index of an image");
    WindowFileImage image;
    image.name = words.Text("the name of an image");
    image.line = words.line();
    image.channels = words.Get<int>("the channels of an image");
    image.height = words.Get<int>("the height of an image");
    image.width = words.Get<int>("the width of an image");
    const int boxes = words.Get<int>("the number of windows");
    for (int i = 0; i < boxes; ++i) {
      const WindowFileBox box = ReadBox(&words);
      CAFFE_REQUIRE(box.x1 <= box.x2 && box.y1 <= box.y2)
          << filename << ":" << words.line() << ": a window ends before it begins: x1 " << box.x1 << ", x2 " << box.x2
          << ", y1 " << box.y1 << ", y2 " << box.y2;
      image.boxes.push_back(box);
    }
    images.push_back(std::move(image));
  }
  CAFFE_REQUIRE(!images.empty()) << filename << ": names no image";
  return images;
}

}  // namespace caffe
