// What Caffe's style of unit tests starts from: fixtures and lists of types for GoogleTest. Link GTest::gtest_main, or
// a main() of your own, and the engine (see examples/custom_layer).
#pragma once

#include <glog/logging.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <iostream>

#include "caffe/common.hpp"

// Where such tests look for the images of examples/ and for their own data.
#ifndef EXAMPLES_SOURCE_DIR
#define EXAMPLES_SOURCE_DIR "examples/"
#endif
#ifndef ABS_TEST_DATA_DIR
#define ABS_TEST_DATA_DIR "src/caffe/test/test_data"
#endif
#ifndef CMAKE_EXT
#define CMAKE_EXT ""
#endif

using std::cout;
using std::endl;

namespace caffe {

// For templates over one element type: TYPED_TEST_SUITE(MyTest, TestDtypes).
typedef ::testing::Types<float, double> TestDtypes;

// A type and the device it runs on.
template <typename TypeParam>
struct CPUDevice {
  typedef TypeParam Dtype;
  static const Caffe::Brew device = Caffe::CPU;
};
typedef ::testing::Types<CPUDevice<float>, CPUDevice<double>> TestDtypesAndDevices;

// Runs in the mode of its device. For templates over TestDtypesAndDevices; the element type is TypeParam::Dtype.
template <typename TypeParam>
class MultiDeviceTest : public ::testing::Test {
 public:
  typedef typename TypeParam::Dtype Dtype;

 protected:
  MultiDeviceTest() { Caffe::set_mode(TypeParam::device); }
};

// The same for templates over the element type alone.
template <typename Dtype>
class CPUDeviceTest : public MultiDeviceTest<CPUDevice<Dtype>> {};

}  // namespace caffe
