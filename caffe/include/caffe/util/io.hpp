// Files: messages as text and binary, images, and directories made and renamed in one step.
#pragma once

#include <google/protobuf/message.h>

#include <climits>
#include <cstdint>
#include <opencv2/core/mat.hpp>
#include <string>

#include "caffe/common.hpp"
#include "caffe/proto/caffe.pb.h"

namespace caffe {

using ::google::protobuf::Message;

// Messages end here, and so do files that are held whole: protobuf takes no part of a message closer to 2 GiB.
constexpr std::uintmax_t kMaxProtobufBytes = INT_MAX - 16;

// A new empty directory, and the name of a file in a new one that does not exist yet, below the system's folder for
// temporary files. The caller removes them. Throw Error where that fails.
void MakeTempDir(string* temp_dirname);
void MakeTempFilename(string* temp_filename);

// Throws Error, "File not found: F", unless there is a file of that name, and another for a folder, a pipe or a device:
// reading those fails, waits or never ends.
void RequireFile(const string& filename);
// Opens a file to read. Throws Error for what RequireFile refuses, for more than 2 GiB, and for one that is not to be
// opened, naming it and the reason.
std::ifstream OpenFile(const string& filename, ios::openmode mode = ios::in);
// The same for all of it at once; those of /proc too, which say that they are empty.
string ReadWholeFile(const string& filename);
// Gives a file that was written beside its place its name, when its bytes are on the disk: after a crash, of the
// machine too, there is the old file or the new one. Throws Error where that fails; the temporary file is gone then.
void MoveIntoPlace(const string& temporary, const string& filename);

// Text: throws Error for a missing file ("File not found: F"), and for a syntax error or unknown field with file, line
// and column (1-based) of each complaint. The OrDie names are Caffe's.
void ReadProtoFromTextFileOrDie(const string& filename, Message* proto);
// The same for text in memory; `origin` stands for the file in messages.
void ReadProtoFromText(const string& text, const string& origin, Message* proto);
// Returns false instead of throwing.
bool ReadProtoFromTextFile(const string& filename, Message* proto);
// Written beside and renamed, so that a reader never sees half a file. Throws Error where that fails.
void WriteProtoToTextFile(const Message& proto, const string& filename);

// Binary. Throws Error for a missing, truncated or foreign file, naming it and the message type, and for more than
// kMaxProtobufBytes, read or written.
void ReadProtoFromBinaryFileOrDie(const string& filename, Message* proto);
bool ReadProtoFromBinaryFile(const string& filename, Message* proto);
void WriteProtoToBinaryFile(const Message& proto, const string& filename);

// BGR (or grey) image, 8 bits, resized when height and width are above 0. Empty when the file is missing or no image.
// Throws Error for a height and width of more than 2^27 pixels.
cv::Mat ReadImageToCVMat(const string& filename, int height, int width, bool is_color);
cv::Mat ReadImageToCVMat(const string& filename, int height, int width);
cv::Mat ReadImageToCVMat(const string& filename, bool is_color);
cv::Mat ReadImageToCVMat(const string& filename);
cv::Mat DecodeDatumToCVMat(const Datum& datum, bool is_color);
cv::Mat DecodeDatumToCVMatNative(const Datum& datum);

// False when the image cannot be read. With an `encoding` ("jpg", "png") the datum holds the encoded bytes, else planar
// BGR bytes.
bool ReadImageToDatum(const string& filename, int label, int height, int width, bool is_color,
                      const std::string& encoding, Datum* datum);
bool ReadImageToDatum(const string& filename, int label, int height, int width, bool is_color, Datum* datum);
bool ReadImageToDatum(const string& filename, int label, Datum* datum);
inline bool ReadImageToDatum(const string& filename, int label, int height, int width, Datum* datum) {
  return ReadImageToDatum(filename, label, height, width, true, datum);
}
inline bool ReadImageToDatum(const string& filename, int label, bool is_color, Datum* datum) {
  return ReadImageToDatum(filename, label, 0, 0, is_color, datum);
}
inline bool ReadImageToDatum(const string& filename, int label, const std::string& encoding, Datum* datum) {
  return ReadImageToDatum(filename, label, 0, 0, true, encoding, datum);
}
// The bytes of the file as they are.
bool ReadFileToDatum(const string& filename, int label, Datum* datum);
inline bool ReadFileToDatum(const string& filename, Datum* datum) { return ReadFileToDatum(filename, -1, datum); }
// In place; false when the datum was not encoded. Throws Error for bytes that are no image.
bool DecodeDatum(Datum* datum, bool is_color);
bool DecodeDatumNative(Datum* datum);
void CVMatToDatum(const cv::Mat& image, Datum* datum);

}  // namespace caffe
