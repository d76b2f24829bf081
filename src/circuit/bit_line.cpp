#include "circuit/bit_line.hpp"

namespace rxnn::circuit {
namespace {

// z[p]: resistance from node p towards a sense amplifier and down to ground, without cell p. pass[p]: share of a
// current arriving at node p from the other side that goes on towards that sense amplifier instead of leaving through
// cell p.
struct Path {
  double* z;
  double* pass;

  double Leaves(const BitLine& line, int p) const { return line.g[p] * z[p] * pass[p]; }
};

void FollowToNear(const BitLine& line, const Path& near) {
  for (int p = 0; p < line.m; ++p) {
    near.z[p] = p == 0 ? line.sink_ohm : line.segments_ohm[p - 1] + near.z[p - 1] * near.pass[p - 1];
    near.pass[p] = 1 / (1 + near.z[p] * line.g[p]);
  }
}

void FollowToFar(const BitLine& line, const Path& far) {
  for (int p = line.m - 1; p >= 0; --p) {
    far.z[p] = p == line.m - 1 ? line.sink_ohm : line.segments_ohm[p] + far.z[p + 1] * far.pass[p + 1];
    far.pass[p] = 1 / (1 + far.z[p] * line.g[p]);
  }
}

// Conductance seen through a segment.
double BehindSegment(double h, double ohm) { return h / (1 + ohm * h); }

// From the far end down. c[q], q > p: current that arrives at node p from above when u_q = 1 and all others are 0;
// in the end what reaches the near sense amplifier.
void AddNearSensed(const BitLine& line, const Path& near, const Path& far, double unit_ohm, double* a,
                   std::ptrdiff_t stride, double* c) {
  double above = 0;  // conductance from node p upwards, without cell p; where the far end has no sense amplifier
  for (int p = line.m - 1; p >= 0; --p) {
    const double factor = unit_ohm * near.Leaves(line, p);
    double* row = a + p * stride;
    for (int q = p + 1; q < line.m; ++q) {
      row[q] += factor * c[q];
      c[q] *= near.pass[p];
    }
    if (line.far_sensed) {
      const double down = near.z[p], up = far.z[p];
      const double both = down + up + line.g[p] * down * up;
      c[p] = both > 0 ? line.g[p] * up / both : line.g[p];
    } else {
      const double h = line.g[p] + above;
      c[p] = line.g[p] / (1 + near.z[p] * h);
      if (p > 0) above = BehindSegment(h, line.segments_ohm[p - 1]);
    }
  }
}

// What reaches the far sense amplifier where there is a near one too, added to c.
void AddFarTransfers(const BitLine& line, const Path& near, const Path& far, double* c) {
  double passes = 1;  // of all nodes beyond p
  for (int p = line.m - 1; p >= 0; --p) {
    const double down = near.z[p], up = far.z[p];
    const double both = down + up + line.g[p] * down * up;
    if (both > 0) c[p] += line.g[p] * down / both * passes;
    passes *= far.pass[p];
  }
}

// Without a near sense amplifier. c[q], q > p, on the way: share of a current going up from node p that leaves through
// cell q; in the end the transfers.
void AddFarSensed(const BitLine& line, const Path& far, double unit_ohm, double* a, std::ptrdiff_t stride, double* c,
                  double* inject) {
  double below = 0;  // conductance from node p downwards, without cell p
  for (int p = 0; p < line.m; ++p) {
    const double h = line.g[p] + below;
    inject[p] = line.g[p] / (1 + far.z[p] * h);
    if (p + 1 < line.m) below = BehindSegment(h, line.segments_ohm[p]);
  }
  double passes = 1;
  for (int p = line.m - 1; p >= 0; --p) {
    const double factor = unit_ohm * inject[p];
    double* row = a + p * stride;
    for (int q = p + 1; q < line.m; ++q) {
      row[q] += factor * c[q];
      c[q] *= far.pass[p];
    }
    c[p] = far.Leaves(line, p);
    inject[p] *= passes;
    passes *= far.pass[p];
  }
  for (int p = 0; p < line.m; ++p) c[p] = inject[p];
}

}  // namespace

void AddBitLine(const BitLine& line, double unit_ohm, double* a, std::ptrdiff_t stride, double* c, double* scratch) {
  const Path near{scratch, scratch + line.m};
  const Path far{scratch + 2 * line.m, scratch + 3 * line.m};
  if (line.near_sensed) FollowToNear(line, near);
  if (line.far_sensed) FollowToFar(line, far);
  if (line.near_sensed) {
    AddNearSensed(line, near, far, unit_ohm, a, stride, c);
    if (line.far_sensed) AddFarTransfers(line, near, far, c);
  } else {
    AddFarSensed(line, far, unit_ohm, a, stride, c, scratch);
  }
}

}  // namespace rxnn::circuit
