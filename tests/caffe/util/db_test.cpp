#include "caffe/util/db.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <thread>

#include "tests/support/image_files.hpp"
#include "tests/support/layer_harness.hpp"

namespace rxnn::testing {
namespace {

namespace db = caffe::db;
namespace fs = std::filesystem;

class DbTest : public ::testing::TestWithParam<const char*> {
 protected:
  std::unique_ptr<db::DB> Open(db::Mode mode) {
    std::unique_ptr<db::DB> database(db::GetDB(GetParam()));
    database->Open(path_, mode);
    return database;
  }
  void Put(db::DB* database, const std::string& key, const std::string& value) {
    const std::unique_ptr<db::Transaction> transaction(database->NewTransaction());
    transaction->Put(key, value);
    transaction->Commit();
  }
  std::vector<std::pair<std::string, std::string>> Records() {
    const auto database = Open(db::READ);
    std::vector<std::pair<std::string, std::string>> records;
    const std::unique_ptr<db::Cursor> cursor(database->NewCursor());
    for (; cursor->valid(); cursor->Next()) records.emplace_back(cursor->key(), cursor->value());
    return records;
  }

  TemporaryDirectory folder_;
  std::string path_ = folder_ / "db";
};

TEST_P(DbTest, GivesBackWhatWasPutInTheOrderOfKeys) {
  {
    const auto database = Open(db::NEW);
    const std::unique_ptr<db::Transaction> transaction(database->NewTransaction());
    transaction->Put("b", "second");
    transaction->Put("a", std::string("fir\0st", 6));
    transaction->Commit();
    transaction->Put("c", "");
    transaction->Commit();
  }
  const std::vector<std::pair<std::string, std::string>> expected = {
      {"a", std::string("fir\0st", 6)}, {"b", "second"}, {"c", ""}};
  EXPECT_EQ(Records(), expected);
}

TEST_P(DbTest, WriteAddsToWhatIsThere) {
  Put(Open(db::NEW).get(), "a", "1");
  Put(Open(db::WRITE).get(), "b", "2");
  EXPECT_EQ(Records().size(), 2u);
}

TEST_P(DbTest, WithoutCommitNothingIsWritten) {
  {
    const auto database = Open(db::NEW);
    const std::unique_ptr<db::Transaction> transaction(database->NewTransaction());
    transaction->Put("a", "1");
  }
  EXPECT_TRUE(Records().empty());
}

TEST_P(DbTest, CursorGoesBackToTheFirst) {
  WriteDatabase(path_, std::vector<std::string>{"x", "y"}, GetParam());
  const auto database = Open(db::READ);
  const std::unique_ptr<db::Cursor> cursor(database->NewCursor());
  cursor->Next();
  EXPECT_EQ(cursor->value(), "y");
  cursor->Next();
  EXPECT_FALSE(cursor->valid());
  cursor->SeekToFirst();
  EXPECT_TRUE(cursor->valid());
  EXPECT_EQ(cursor->key(), "0000");
}

TEST_P(DbTest, OpensTwiceInAProcess) {
  WriteDatabase(path_, std::vector<std::string>{"x", "y"}, GetParam());
  const auto first = Open(db::READ);
  auto second = Open(db::READ);
  const std::unique_ptr<db::Cursor> a(first->NewCursor());
  std::unique_ptr<db::Cursor> b(second->NewCursor());
  a->Next();
  EXPECT_EQ(a->value(), "y");
  EXPECT_EQ(b->value(), "x");
  b.reset();
  second.reset();
  a->SeekToFirst();
  EXPECT_EQ(a->value(), "x");
}

TEST_P(DbTest, NewRefusesWhatExists) {
  WriteDatabase(path_, std::vector<std::string>{"x"}, GetParam());
  ExpectError([&] { Open(db::NEW); }, "exists already");
  EXPECT_EQ(Records().size(), 1u);
}

TEST_P(DbTest, NewTakesAnEmptyDirectory) {
  std::filesystem::create_directory(path_);
  Put(Open(db::NEW).get(), "a", "1");
  EXPECT_EQ(Records().size(), 1u);
}

TEST_P(DbTest, SaysWhatIsNoDatabase) {
  ExpectError([&] { Open(db::READ); }, "Database not found: " + path_);
  ExpectError([&] { Open(db::WRITE); }, "Database not found: " + path_);
  EXPECT_FALSE(fs::exists(path_));
  WriteText(path_, "text");
  ExpectError([&] { Open(db::READ); }, path_ + " is a file");
  path_ = folder_ / "empty";
  fs::create_directory(path_);
  ExpectError([&] { Open(db::READ); }, "database");
  path_ = folder_ / "missing/db";
  ExpectError([&] { Open(db::NEW); }, path_);
}

INSTANTIATE_TEST_SUITE_P(Backends, DbTest, ::testing::Values("lmdb", "leveldb"));

TEST(DbErrors, NameTheBackendsThereAre) {
  ExpectError([] { db::GetDB("sqlite"); }, "lmdb");
}

TEST(LevelDbTest, SaysWhatIsDamaged) {
  const TemporaryDirectory folder;
  const std::string path = folder / "db";
  WriteDatabase(path, std::vector<std::string>(20, std::string(10000, 'v')), "leveldb");
  const std::unique_ptr<db::DB> database(db::GetDB("leveldb"));
  {
    // Opening moves the log to a table.
    database->Open(path, db::READ);
    database->Close();
  }
  int damaged = 0;
  for (const auto& entry : fs::directory_iterator(path)) {
    if (entry.path().extension() != ".ldb") continue;
    std::fstream file(entry.path(), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(1000);
    file << "damage";
    ++damaged;
  }
  ASSERT_GT(damaged, 0);
  ExpectError(
      [&] {
        database->Open(path, db::READ);
        const std::unique_ptr<db::Cursor> cursor(database->NewCursor());
        while (cursor->valid()) cursor->Next();
      },
      "LevelDB " + path);
  database->Close();
  WriteText(path + "/CURRENT", "garbage");
  ExpectError([&] { database->Open(path, db::READ); }, "LevelDB " + path + ": cannot open");
}

TEST(LevelDbTest, SaysThatItIsAnLmdb) {
  const TemporaryDirectory folder;
  WriteDatabase(folder / "db", std::vector<std::string>{"x"}, "lmdb");
  const std::unique_ptr<db::DB> database(db::GetDB("leveldb"));
  ExpectError([&] { database->Open(folder / "db", db::READ); }, "backend: LMDB");
}

class LmdbTest : public ::testing::Test {
 protected:
  void ExpectOpenFails(const std::string& message) {
    const std::unique_ptr<db::DB> database(db::GetDB("lmdb"));
    ExpectError([&] { database->Open(path_, db::READ); }, message);
  }

  TemporaryDirectory folder_;
  std::string path_ = folder_ / "db";
  std::string file_ = path_ + "/data.mdb";
};

TEST_F(LmdbTest, RefusesGarbage) {
  fs::create_directory(path_);
  WriteText(file_, "");
  ExpectOpenFails(path_);
  WriteText(file_, std::string(100, 'x'));
  ExpectOpenFails(path_);
  WriteText(file_, std::string(100000, 'x'));
  ExpectOpenFails(path_);
}

// liblmdb would die reading a page that is not there.
TEST_F(LmdbTest, RefusesATruncatedFile) {
  WriteDatabase(path_, std::vector<std::string>(20, std::string(10000, 'v')));
  const auto size = fs::file_size(file_);
  for (const auto part : {size - 4096, size / 2, std::uintmax_t{8192}}) {
    fs::resize_file(file_, part);
    ExpectOpenFails("truncated");
  }
}

// Whatever is written over the file: an error or other records, never the end of the process.
TEST_F(LmdbTest, SurvivesDamage) {
  // Small values in leaf pages, large ones on pages of their own, and a branch above them.
  std::vector<std::string> values;
  for (int i = 0; i < 400; ++i) values.push_back(std::string(i % 10 == 0 ? 5000 : 100, static_cast<char>(i)));
  WriteDatabase(path_, values);
  std::string whole;
  {
    std::ifstream stream(file_, std::ios::binary);
    whole.assign(std::istreambuf_iterator<char>(stream), {});
  }
  std::mt19937 random(1);
  const auto below = [&](size_t n) { return static_cast<size_t>(random() % n); };
  int errors = 0;
  for (int variant = 0; variant < 300; ++variant) {
    std::string damaged = whole;
    const size_t page = below(whole.size() / 4096) * 4096;
    if (variant % 3 == 0) {
      for (size_t i = page; i < page + 4096; ++i) damaged[i] = static_cast<char>(random());
    } else {
      // In the header and the offsets of one page, or anywhere.
      for (int i = 0; i < 8; ++i) {
        damaged[variant % 3 == 1 ? page + below(64) : below(whole.size())] = static_cast<char>(random());
      }
    }
    WriteText(file_, damaged);
    try {
      const std::unique_ptr<db::DB> database(db::GetDB("lmdb"));
      database->Open(path_, db::READ);
      const std::unique_ptr<db::Cursor> cursor(database->NewCursor());
      size_t count = 0;
      for (; cursor->valid(); cursor->Next()) count += !cursor->value().empty();
      EXPECT_LE(count, values.size());
    } catch (const caffe::Error& error) {
      EXPECT_NE(std::string(error.what()).find(path_), std::string::npos) << error.what();
      ++errors;
    }
  }
  // Half of the damage meets the bytes of values, which nothing can tell.
  EXPECT_GT(errors, 75);
}

TEST_F(LmdbTest, RefusesTheWrongBackend) {
  fs::create_directory(path_);
  WriteText(path_ + "/CURRENT", "MANIFEST-000001\n");
  ExpectOpenFails("LEVELDB");
}

TEST_F(LmdbTest, GrowsWithItsRecords) {
  const std::unique_ptr<db::DB> database(db::GetDB("lmdb"));
  database->Open(path_, db::NEW);
  // Past the 16 MiB of room it starts with, twice.
  const std::string value(4 << 20, 'v');
  const std::unique_ptr<db::Cursor> early(database->NewCursor());
  const std::unique_ptr<db::Transaction> transaction(database->NewTransaction());
  for (int i = 0; i < 10; ++i) {
    transaction->Put(Key(i), value);
    if (i % 3 == 0) transaction->Commit();
  }
  transaction->Commit();
  const std::unique_ptr<db::Cursor> cursor(database->NewCursor());
  int count = 0;
  for (; cursor->valid(); cursor->Next()) ++count;
  EXPECT_EQ(count, 10);
  // One from before sees what was there then.
  early->SeekToFirst();
  EXPECT_FALSE(early->valid());
}

TEST_F(LmdbTest, KeepsTheWriterAlone) {
  WriteDatabase(path_, std::vector<std::string>{"x"});
  const std::unique_ptr<db::DB> reader(db::GetDB("lmdb"));
  reader->Open(path_, db::READ);
  ExpectError([&] { reader->NewTransaction(); }, "for reading only");
  const std::unique_ptr<db::DB> writer(db::GetDB("lmdb"));
  ExpectError([&] { writer->Open(path_, db::WRITE); }, "while this process has it open");
  reader->Close();
  writer->Open(path_, db::WRITE);
}

// A key longer than LMDB takes is refused by name, and the transaction with it.
TEST_F(LmdbTest, NamesARecordItCannotWrite) {
  const std::unique_ptr<db::DB> database(db::GetDB("lmdb"));
  database->Open(path_, db::NEW);
  const std::unique_ptr<db::Transaction> transaction(database->NewTransaction());
  transaction->Put("good", "1");
  transaction->Put(std::string(600, 'k'), "2");
  ExpectError([&] { transaction->Commit(); }, "record " + std::string(200, 'k') + "...");
  const std::unique_ptr<db::Cursor> cursor(database->NewCursor());
  EXPECT_FALSE(cursor->valid());
}

// Cursors may be used in another thread than the one that made them.
TEST_F(LmdbTest, CursorsMoveBetweenThreads) {
  WriteDatabase(path_, std::vector<std::string>{"x", "y", "z"});
  const std::unique_ptr<db::DB> database(db::GetDB("lmdb"));
  database->Open(path_, db::READ);
  std::unique_ptr<db::Cursor> cursor(database->NewCursor()), other(database->NewCursor());
  int count = 0;
  std::thread([&] {
    for (; cursor->valid(); cursor->Next()) ++count;
    cursor.reset();
  }).join();
  EXPECT_EQ(count, 3);
  EXPECT_EQ(other->value(), "x");
}

}  // namespace
}  // namespace rxnn::testing
