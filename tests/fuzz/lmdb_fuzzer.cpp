// A data.mdb file: opened, and all its records read as the Data layer reads them.
#include <fstream>

#include "caffe/proto/caffe.pb.h"
#include "caffe/util/db.hpp"
#include "tests/fuzz/fuzz_support.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::string folder = rxnn::fuzz::MemoryFolder();
  std::ofstream(folder + "/data.mdb", std::ios::binary).write(reinterpret_cast<const char*>(data), size);
  rxnn::fuzz::Try([&] {
    const std::unique_ptr<caffe::db::DB> db(caffe::db::GetDB("lmdb"));
    db->Open(folder, caffe::db::READ);
    const std::unique_ptr<caffe::db::Cursor> cursor(db->NewCursor());
    for (; cursor->valid(); cursor->Next()) {
      caffe::Datum datum;
      datum.ParseFromString(cursor->value());
      caffe::db::PrintableKey(cursor->key());
    }
  });
  return 0;
}
