// Reads by the matrix unit (AMX). Compiled as byte_reads_cpu.cpp is.
#include "vmm/byte_reads_cpu.hpp"

#undef HWY_DISABLED_TARGETS
#define HWY_DISABLED_TARGETS (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "vmm/tile_reads_cpu.cpp"
#include "hwy/foreach_target.h"
// foreach_target.h comes first.
#include "hwy/highway.h"
#include "vmm/byte_sums-inl.hpp"
#include "vmm/code_convert-inl.hpp"

#if HWY_TARGET == HWY_AVX3 && HWY_ARCH_X86_64

HWY_BEFORE_NAMESPACE();
namespace rxnn {
namespace HWY_NAMESPACE {
constexpr size_t kTileSums = kTileRows * kTileCols;
constexpr size_t kTilesOfUnit = kByteUnit / kTileRows;
constexpr size_t kMostStreams = 8;

// The matrix unit. Its tiles, 16 rows of 64 bytes, are there as long as the object; 0 to 2 hold levels, 3 digits, 4 to
// 7 sums in turns: a tile of sums is stored when it is needed again, three products after its own, for which nothing
// has to wait that way.
template <Cut kCut>
class Tiles {
 public:
  // `digits`: where those of the units begin.
  HWY_INLINE explicit Tiles(const uint8_t* digits) {
    const auto at = [](const void* p) { return reinterpret_cast<uintptr_t>(p) % kPage; };
    sums_[0] = room_ + (at(digits) + kOffset + kPage - at(room_)) % kPage / sizeof(int32_t);
    sums_[1] = sums_[0] + kUnitSums;
    alignas(64) uint8_t config[64] = {1};  // palette 1
    for (size_t tile = 0; tile < 8; ++tile) {
      config[16 + 2 * tile] = 64;  // bytes of a row
      config[48 + tile] = kTileRows;
    }
    asm volatile("ldtilecfg %0" : : "m"(config) : "memory");
  }
  HWY_INLINE ~Tiles() { asm volatile("tilerelease"); }

  // Multiplies `rows` rows of digits of a unit, and hands on those of the unit before meanwhile, a tile at a time:
  // take(tile, sums of the unit). Only rows up to the end of that tile are there yet.
  template <class Take>
  HWY_INLINE void Multiply(const Layout& layout, size_t rows, const uint8_t* digits, const int8_t* levels,
                           const Take& take) {
    if (layout.chunks == 1 && levels != loaded_) LoadLevels(levels);
    loaded_ = levels;
    Step<0>(layout, rows, digits, levels, take);
    Step<1>(layout, rows, digits, levels, take);
    Step<2>(layout, rows, digits, levels, take);
    Step<3>(layout, rows, digits, levels, take);
    now_ ^= 1;
  }

 private:
  static constexpr size_t kUnitSums = kTilesOfUnit * kSums<kCut> * kTileSums;
  // Loads wait for stores whose addresses are the same in a page: sums lie where no digits of the same tile do.
  static constexpr size_t kPage = 4096;
  static constexpr size_t kOffset = 1024;
  static constexpr int kTurns = 4;  // tiles of sums
  static constexpr int kFirstSums = 4;
  static constexpr int kSumsOfUnit = static_cast<int>(kTilesOfUnit * kSums<kCut>);

  // Tiles are numbers in instructions.
  template <int kTile>
  HWY_INLINE static void Load(const void* from) {
    asm volatile("tileloadd (%0,%1,1), %%tmm%c2" : : "r"(from), "r"(size_t{64}), "i"(kTile) : "memory");
  }
  template <int kTile>
  HWY_INLINE static void Store(void* to) {
    asm volatile("tilestored %%tmm%c2, (%0,%1,1)" : : "r"(to), "r"(kSums<kCut> * 64), "i"(kTile) : "memory");
  }
  template <int kTile>
  HWY_INLINE static void Clear() {
    asm volatile("tilezero %%tmm%c0" : : "i"(kTile));
  }
  // sums += unsigned digits in tile 3 * signed levels.
  template <int kTile, int kLevels>
  HWY_INLINE static void Add() {
    asm volatile("tdpbusd %%tmm%c1, %%tmm3, %%tmm%c0" : : "i"(kTile), "i"(kLevels));
  }

  HWY_INLINE static void LoadLevels(const int8_t* bytes) {
    Load<0>(bytes);
    if (kCut == Cut::kOne) return;
    Load<1>(bytes + kTileBytes);
    Load<2>(bytes + 2 * kTileBytes);
  }

  // The kNumber-th tile of sums of a unit; those of the unit before have negative numbers.
  template <int kNumber>
  static constexpr int kTileOf = kFirstSums + (kNumber + kSumsOfUnit) % kTurns;

  template <int kNumber>
  HWY_INLINE void StoreTurn() {
    constexpr int kStored = kNumber - kTurns;  // what is in the tile that kNumber needs
    constexpr int kOfUnit = (kStored + kSumsOfUnit) % kSumsOfUnit;
    int32_t* of_unit = sums_[kStored < 0 ? now_ ^ 1 : now_];
    constexpr int kParts = static_cast<int>(kSums<kCut>);
    Store<kTileOf<kStored>>(of_unit + kOfUnit / kParts * kParts * static_cast<int>(kTileSums) +
                            kOfUnit % kParts * static_cast<int>(kTileCols));
  }

  template <int kTile, class Take>
  HWY_INLINE void Step(const Layout& layout, size_t rows, const uint8_t* digits, const int8_t* levels,
                       const Take& take) {
    constexpr int kNumber = kTile * static_cast<int>(kSums<kCut>);
    const bool multiplies = kTile * kTileRows < rows;
    digits += kTile * kCopies<kCut> * kTileBytes;
    if (multiplies) Load<3>(digits);
    StoreTurn<kNumber>();
    if constexpr (kCut != Cut::kOne) StoreTurn<kNumber + 1>();
    if constexpr (kCut == Cut::kThree) StoreTurn<kNumber + 2>();
    if (multiplies) MultiplyTile<kNumber>(layout, digits, levels);
    take(kTile, sums_[now_ ^ 1]);
  }

  // The first tile of digits is loaded.
  template <int kNumber>
  HWY_INLINE static void MultiplyTile(const Layout& layout, const uint8_t* digits, const int8_t* levels) {
    Clear<kTileOf<kNumber>>();
    if constexpr (kCut != Cut::kOne) Clear<kTileOf<kNumber + 1>>();
    if constexpr (kCut == Cut::kThree) Clear<kTileOf<kNumber + 2>>();
    for (size_t c = 0; c < layout.chunks; ++c, digits += kChunkDigits<kCut>) {
      if (layout.chunks > 1) LoadLevels(levels + c * layout.chunk_bytes);
      if (c > 0) Load<3>(digits);
      if constexpr (kCut == Cut::kBits) {
        Add<kTileOf<kNumber + 1>, 2>();
        Add<kTileOf<kNumber>, 0>();
        Load<3>(digits + kTileBytes);  // the same times 128
        Add<kTileOf<kNumber>, 1>();
        continue;
      }
      Add<kTileOf<kNumber>, 0>();
      if constexpr (kCut == Cut::kThree) {
        Add<kTileOf<kNumber + 1>, 1>();
        Add<kTileOf<kNumber + 2>, 2>();
      }
    }
  }

  HWY_ALIGN int32_t room_[2 * kUnitSums + kPage / sizeof(int32_t)];
  int32_t* sums_[2] = {};  // of two units, [row][part][column], kOffset beyond digits within a page
  size_t now_ = 0;
  const int8_t* loaded_ = nullptr;
};

// Of one row of a unit.
template <Cut kCut>
HWY_INLINE Sums<kCut> LoadSums(const int32_t* sums, size_t row) {
  Sums<kCut> loaded;
  for (size_t n = 0; n < kSums<kCut>; ++n) {
    loaded.part[n] = hn::Load(I(), sums + (row * kSums<kCut> + n) * kTileCols);
  }
  return loaded;
}

// Where a unit's sums go.
struct UnitPlace {
  size_t unit = 0;
  size_t col = 0;
};

// Multiplies all units with all columns: take(place, tile, sums) as in Tiles::Multiply.
template <Cut kCut, class Rows, class Take>
HWY_INLINE void MultiplyTiles(const Layout& layout, size_t num_units, size_t cols, const uint8_t* digits,
                              const int8_t* bytes, const Rows& rows_of, Take&& take) {
  if (num_units == 0) return;
  Tiles<kCut> tiles(digits);
  UnitPlace before;
  bool has_before = false;
  const auto hand_on = [&](size_t tile, const int32_t* sums) HWY_ATTR {
    if (has_before) take(before, tile, sums);
  };
  ForEachUnit(layout, num_units, cols, digits, bytes,
              [&](size_t u, size_t col, const uint8_t* of_unit, const int8_t* levels) HWY_ATTR {
                tiles.Multiply(layout, rows_of(u), of_unit, levels, hand_on);
                before = {u, col};
                has_before = true;
              });
  tiles.Multiply(layout, 0, digits, bytes, hand_on);  // of no rows
}

// Converters and shift-and-add. A stream's whole number is the lower word of a float's bits, less that of none, and is
// multiplied by the stream's weight and added in one operation.
template <Cut kCut, Form kForm, bool kShared, bool kClamps>
class CodeSink {
 public:
  CodeSink(const CodeReads& reads, const LevelBytes& cut, const ByteDigits& digits)
      : reads_(reads),
        constants_(reads.readout, cut.unit),
        units_(digits.units),
        shares_(digits.shares),
        order_(digits.order),
        streams_(static_cast<size_t>(reads.streams)),
        cols_(static_cast<size_t>(reads.cols)) {
    const int32_t zero = static_cast<int16_t>(ZeroBits<kForm>(reads.readout) & 0xFFFF);
    int32_t zeros = 0;
    for (size_t s = 0; s < streams_; ++s) {
      const int32_t weight = 1 << (s * static_cast<size_t>(reads.dac_bits));
      zeros += weight * zero;
      weights_[s] = (reads.negative ? -weight : weight) & 0xFFFF;
      zeros_[s + 1] = reads.negative ? zeros : -zeros;
    }
  }

  // The vectors that are complete with a tile, and were not with the one before.
  HWY_INLINE void operator()(const UnitPlace& at, size_t tile, const int32_t* HWY_RESTRICT sums) {
    const I di;
    const ByteUnit& unit = units_[at.unit];
    const uint32_t streams = static_cast<uint32_t>(unit.streams);
    const uint32_t vectors = static_cast<uint32_t>(unit.vectors);
    const uint32_t begin = HWY_MIN(static_cast<uint32_t>(tile * kTileRows) / streams, vectors);
    const uint32_t end = HWY_MIN(static_cast<uint32_t>((tile + 1) * kTileRows) / streams, vectors);
    const VI shift = hn::Set(di, reads_.shift);
    const VI start = hn::Set(di, zeros_[streams]);
    const Constants constants = constants_;
    SaturatedLanes& saturated = saturated_[at.col / kTileCols];
    SaturatedLanes counted = saturated;
    for (uint32_t v = begin; v < end; ++v) {
      const size_t place = static_cast<size_t>(unit.first_place) + v;
      const CodeReadout::Shares* HWY_RESTRICT shares = shares_ + place * streams_;
      const size_t row = static_cast<size_t>(v) * streams;
      VI total = start;
      for (uint32_t s = 0; s < streams; ++s) {
        VF t = CodeOf<kShared>(Current<kCut>(LoadSums<kCut>(sums, row + s)), shares[s], constants);
        if (kClamps) {
          counted.Count(t, constants);
          t = hn::Min(hn::Max(t, constants.low), constants.high);
        }
        AddWords(BitsOf<kForm>(t, shares[s], constants), hn::Set(di, weights_[s]), total);
      }
      int32_t* HWY_RESTRICT to = reads_.sums + static_cast<size_t>(order_[place]) * cols_ + at.col;
      hn::StoreU(hn::Add(hn::LoadU(di, to), hn::Shl(total, shift)), di, to);
    }
    if (kClamps) saturated = counted;
  }

  // Adds what was beyond the range to the counts.
  void AddCounts() const {
    if (!kClamps || reads_.counts == nullptr) return;
    for (size_t col = 0; col < cols_; col += kTileCols) saturated_[col / kTileCols].AddTo(reads_, col);
  }

 private:
  const CodeReads& reads_;
  const Constants constants_;
  const ByteUnit* units_;
  const CodeReadout::Shares* shares_;
  const int32_t* order_;
  size_t streams_, cols_;
  int32_t weights_[kMostStreams] = {};    // a word of either sign
  int32_t zeros_[kMostStreams + 1] = {};  // what is to be added for a number of streams
  SaturatedLanes saturated_[kPanelCols / kTileCols];
};

template <Cut kCut, Form kForm, bool kShared, bool kClamps>
HWY_NOINLINE void ReadTiles(const CodeReads& reads, const LevelBytes& cut, const int8_t* bytes,
                            const ByteDigits& digits) {
  CodeSink<kCut, kForm, kShared, kClamps> sink(reads, cut, digits);
  const ByteUnit* HWY_RESTRICT units = digits.units;
  const auto rows_of = [&](size_t u) HWY_ATTR { return static_cast<size_t>(units[u].vectors * units[u].streams); };
  MultiplyTiles<kCut>(LayoutOf<kCut>(reads.rows, reads.cols), static_cast<size_t>(digits.num_units),
                      static_cast<size_t>(reads.cols), digits.digits, bytes, rows_of, sink);
  sink.AddCounts();
}

template <Cut kCut, Form kForm>
HWY_INLINE void ReadTilesAs(const CodeReads& reads, const LevelBytes& cut, const int8_t* bytes,
                            const ByteDigits& digits) {
  if (reads.level_share != 0) {
    if (reads.readout.clamps) return ReadTiles<kCut, kForm, true, true>(reads, cut, bytes, digits);
    return ReadTiles<kCut, kForm, true, false>(reads, cut, bytes, digits);
  }
  if (reads.readout.clamps) return ReadTiles<kCut, kForm, false, true>(reads, cut, bytes, digits);
  ReadTiles<kCut, kForm, false, false>(reads, cut, bytes, digits);
}

template <Cut kCut>
HWY_INLINE void ReadTilesOf(Form form, const CodeReads& reads, const LevelBytes& cut, const int8_t* bytes,
                            const ByteDigits& digits) {
  switch (form) {
    case Form::kCodes:
      return ReadTilesAs<kCut, Form::kCodes>(reads, cut, bytes, digits);
    case Form::kLevels:
      return ReadTilesAs<kCut, Form::kLevels>(reads, cut, bytes, digits);
    case Form::kLevelsFused:
      return ReadTilesAs<kCut, Form::kLevelsFused>(reads, cut, bytes, digits);
  }
}

// Whether a word holds all of a readout's whole numbers.
template <Form kForm>
bool FitsWord(const CodeReadout& readout) {
  const int zero = static_cast<int16_t>(ZeroBits<kForm>(readout) & 0xFFFF);
  return zero + readout.least > -32768 && zero + readout.most < 32767;
}

// Sets `done`, or leaves it as it is and does nothing where words do not hold the numbers.
void ReadTilesT(const CodeReads& reads, const LevelBytes& cut, const int8_t* bytes, const ByteDigits& digits,
                bool* done) {
  constexpr int kMostShift = 14;  // of a weight in a word
  const Form form = FormOf(reads.readout);
  const bool fits =
      form == Form::kLevelsFused ? FitsWord<Form::kLevelsFused>(reads.readout) : FitsWord<Form::kLevels>(reads.readout);
  if (!fits) return;
  if ((reads.streams - 1) * reads.dac_bits > kMostShift || reads.streams > static_cast<int>(kMostStreams)) return;
  *done = true;
  switch (cut.cut) {
    case Cut::kOne:
      return ReadTilesOf<Cut::kOne>(form, reads, cut, bytes, digits);
    case Cut::kBits:
      return ReadTilesOf<Cut::kBits>(form, reads, cut, bytes, digits);
    case Cut::kThree:
      return ReadTilesOf<Cut::kThree>(form, reads, cut, bytes, digits);
  }
}

template <Cut kCut>
HWY_NOINLINE void ReadFoldedTiles(const FoldedByteReads& reads) {
  const hn::CappedTag<double, 8> d;
  const size_t cols = static_cast<size_t>(reads.cols);
  const size_t vectors = static_cast<size_t>(reads.vectors);
  const auto unit = hn::Set(d, reads.negative ? -reads.cut.unit : reads.cut.unit);
  const bool add = reads.add;
  double* HWY_RESTRICT all_sums = reads.sums;
  const auto rows_of = [&](size_t u) HWY_ATTR { return HWY_MIN(vectors - u * kByteUnit, size_t{kByteUnit}); };
  const auto take = [&](const UnitPlace& at, size_t tile, const int32_t* sums) HWY_ATTR {
    const size_t end = HWY_MIN((tile + 1) * kTileRows, rows_of(at.unit));
    double* to = all_sums + (at.unit * kByteUnit) * cols + at.col;
    for (size_t row = tile * kTileRows; row < end; ++row) {
      AddProduct<kCut>(d, LoadSums<kCut>(sums, row), unit, add, to + row * cols);
    }
  };
  MultiplyTiles<kCut>(LayoutOf<kCut>(reads.rows, reads.cols), (vectors + kByteUnit - 1) / kByteUnit, cols, reads.codes,
                      reads.bytes, rows_of, take);
}

void ReadFoldedTilesT(const FoldedByteReads& reads) {
  if (reads.cut.cut == Cut::kOne) return ReadFoldedTiles<Cut::kOne>(reads);
  ReadFoldedTiles<Cut::kThree>(reads);
}

}  // namespace HWY_NAMESPACE
}  // namespace rxnn
HWY_AFTER_NAMESPACE();

#endif  // AVX-512

#if HWY_ONCE
namespace rxnn {

bool ReadTilesCpu(const CodeReads& reads, const LevelBytes& cut, const std::int8_t* bytes, const ByteDigits& digits) {
  bool done = false;
  RXNN_BYTE_KERNEL(ReadTilesT(reads, cut, bytes, digits, &done));
  return done;
}
void ReadFoldedTilesCpu(const FoldedByteReads& reads) { RXNN_BYTE_KERNEL(ReadFoldedTilesT(reads)); }

}  // namespace rxnn
#endif
