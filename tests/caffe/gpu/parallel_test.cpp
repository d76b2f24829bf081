// Several GPUs against one device: sums of gradients, nets that share out batches, training.
#include "caffe/parallel.hpp"

#include <atomic>
#include <cstdlib>
#include <filesystem>

#include "caffe/util/gpu_runtime.hpp"
#include "tests/caffe/gpu/gpu_mode.hpp"
#include "tests/support/image_files.hpp"
#include "tests/support/net_text.hpp"
#include "tests/support/solver_problem.hpp"

namespace rxnn::testing {
namespace {

using caffe::Caffe;

// Before the emulator counts its GPUs.
[[maybe_unused]] const int g_emulated = setenv("RXNN_EMULATED_GPUS", "4", 0);

class SeveralGpus : public ::testing::Test {
 protected:
  void SetUp() override {
    if (Count() < 2) GTEST_SKIP() << "there are " << Count() << " GPUs; two are needed";
    caffe::UseGpu(0);
  }
  void TearDown() override { Caffe::set_mode(Caffe::CPU); }
  static int Count() { return caffe::GpuRuntime::Require().CountDevices(); }
  // The first so many.
  static std::vector<int> Gpus(int count) {
    std::vector<int> gpus;
    for (int i = 0; i < count; ++i) gpus.push_back(i);
    return gpus;
  }
  // work(member) in a thread on each of these GPUs.
  template <typename Work>
  static void OnEach(int count, Work work) {
    std::vector<std::unique_ptr<caffe::GpuThread>> threads;
    for (int i = 0; i < count; ++i) threads.push_back(std::make_unique<caffe::GpuThread>(i, i, count, 1));
    for (int i = 0; i < count; ++i) threads[i]->Start([=] { work(i); });
    for (const auto& thread : threads) thread->Wait();
  }
};

// Both ways of exchange; a build without NCCL has one.
template <typename Dtype>
std::vector<std::shared_ptr<caffe::Collective<Dtype>>> Collectives(const std::vector<int>& gpus) {
  return {std::make_shared<caffe::CopyCollective<Dtype>>(gpus), caffe::Collective<Dtype>::Make(gpus)};
}

TEST_F(SeveralGpus, SumAndShareArrays) {
  for (int count = 1; count <= Count(); ++count) {
    for (const auto& collective : Collectives<double>(Gpus(count))) {
      std::vector<std::vector<double>> results(count);
      OnEach(count, [&](int member) {
        // Whole numbers: sums are exact in any order.
        const auto first = RandomBlob<double>({3}, 0, 1, 5), second = RandomBlob<double>({70}, 0, 1, 6);
        for (const auto& blob : {first, second}) {
          for (int i = 0; i < blob->count(); ++i) blob->mutable_cpu_data()[i] = 100 * member + i;
        }
        const auto arrays = [&] {
          return caffe::DeviceArrays<double>{{first->mutable_gpu_data(), 3}, {second->mutable_gpu_data(), 70}};
        };
        collective->SumToFirst(member, arrays());
        collective->Broadcast(member, arrays());
        results[member] = Data(*second);
        const auto of_first = Data(*first);
        results[member].insert(results[member].begin(), of_first.begin(), of_first.end());
      });
      std::vector<double> expected;
      for (int i = 0; i < 73; ++i) {
        expected.push_back(100 * count * (count - 1) / 2 + count * (i < 3 ? i : i - 3));
      }
      for (const auto& result : results) EXPECT_EQ(result, expected);
    }
  }
}

TEST_F(SeveralGpus, EndTogetherWhenOneFails) {
  caffe::CopyCollective<float> collective(Gpus(Count()));
  std::atomic<int> errors{0};
  OnEach(Count(), [&](int member) {
    const auto blob = RandomBlob<float>({5});
    try {
      // What the second has is no memory of its GPU.
      float* data = member == 1 ? blob->mutable_cpu_data() : blob->mutable_gpu_data();
      collective.SumToFirst(member, {{data, 5}});
    } catch (const caffe::Error&) {
      ++errors;
    }
  });
  EXPECT_EQ(errors, Count());
}

// Images of a database, each with a label of its own, at random places and mirrored at random in training.
std::string DataText(const std::string& path, int batch_size) {
  return "layer { name: 'data' type: 'Data' top: 'data' top: 'label' data_param { source: '" + path +
         "' backend: LMDB batch_size: " + std::to_string(batch_size) +
         " } transform_param { scale: 0.01 crop_size: 5 mirror: true } } ";
}
std::string ClassifierText(const std::string& data) {
  return data +
         SimpleLayer("Convolution", "conv", "data", "conv",
                     "convolution_param { num_output: 4 kernel_size: 3 weight_filler { type: 'xavier' } }") +
         SimpleLayer("ReLU", "relu", "conv", "conv") + IpLayer("ip", "conv", 4) +
         LossLayer("loss", "ip", "loss_weight: 0.5");
}

class TrainedOnSeveralGpus : public SeveralGpus {
 protected:
  void SetUp() override {
    SeveralGpus::SetUp();
    std::vector<caffe::Datum> data;
    for (int i = 0; i < 13; ++i) data.push_back(DatumOf(RandomImage(7, 6, i), i % 4));
    WriteDatabase(path_, data);
  }
  std::unique_ptr<caffe::Solver<double>> Solver(int batch_size, const std::string& more = "") const {
    const std::string text = "random_seed: 3 base_lr: 0.1 lr_policy: 'fixed' max_iter: 6 momentum: 0.9 weight_decay: " +
                             ("0.01 snapshot_after_train: false snapshot_prefix: '" + (folder_ / "x") + "' ") + more;
    return std::unique_ptr<caffe::Solver<double>>(
        caffe::SolverRegistry<double>::CreateSolver(SolverText(text, ClassifierText(DataText(path_, batch_size)))));
  }
  // What one CPU comes to.
  std::vector<double> OnCpu(int batch_size, const std::string& more = "") const {
    const ModeScope cpu(Caffe::CPU);
    const auto solver = Solver(batch_size, more);
    solver->Solve();
    caffe::UseGpu(0);
    return Weights(solver.get());
  }

  TemporaryDirectory folder_;
  std::string path_ = folder_ / "db";
};

TEST_F(TrainedOnSeveralGpus, ManySmallBatchesAreOneLarge) {
  for (const std::string more : {"", "iter_size: 2 clip_gradients: 0.2 type: 'Adam' momentum2: 0.9 delta: 1e-8"}) {
    for (int count = 2; count <= std::min(Count(), 4); ++count) {
      SCOPED_TRACE(more + std::to_string(count));
      const std::vector<double> expected = OnCpu(2 * count, more);
      for (const bool nccl : {false, true}) {
        const auto solver = Solver(2, more);
        std::unique_ptr<caffe::Collective<double>> collective = caffe::Collective<double>::Make(Gpus(count));
        if (!nccl) collective = std::make_unique<caffe::CopyCollective<double>>(Gpus(count));
        const caffe::DataParallel<double> parallel(solver.get(), Gpus(count), std::move(collective));
        solver->Solve();
        ExpectAllNear(Weights(solver.get()), expected, tolerance::kReorderedTraining);
      }
    }
  }
}

TEST_F(TrainedOnSeveralGpus, GoesOnFromASnapshot) {
  const auto train = [&](int iterations, const char* snapshot) {
    const auto solver = Solver(3);
    if (snapshot != nullptr) solver->Resume(snapshot);
    const caffe::DataParallel<double> parallel(solver.get(), Gpus(2));
    solver->Step(iterations);
    solver->Snapshot();
    return Weights(solver.get());
  };
  const std::vector<double> whole = train(5, nullptr);
  train(2, nullptr);
  EXPECT_EQ(train(3, (folder_ / "x_iter_2.solverstate").c_str()), whole);
}

TEST_F(TrainedOnSeveralGpus, EndsWithTheErrorOfItsData) {
  std::vector<std::string> records;
  for (int i = 0; i < 13; ++i) records.push_back(DatumOf(RandomImage(7, 6, i), i % 4).SerializeAsString());
  // In the second iteration, for the second GPU and for the first.
  for (const int damaged : {5, 7}) {
    std::vector<std::string> values = records;
    values[damaged] = "no datum";
    std::filesystem::remove_all(path_);
    WriteDatabase(path_, values);
    const auto solver = Solver(2);
    const caffe::DataParallel<double> parallel(solver.get(), Gpus(2));
    ExpectError([&] { solver->Solve(); }, "record '" + Key(damaged) + "'");
    EXPECT_EQ(solver->iter(), 1);
  }
}

TEST_F(TrainedOnSeveralGpus, EndsWithTheErrorOfALayerElsewhere) {
  // The second GPU's labels go beyond the four scores.
  std::vector<caffe::Datum> data;
  for (int i = 0; i < 4; ++i) data.push_back(DatumOf(RandomImage(7, 6, i), i < 2 ? 9 : 0));
  std::filesystem::remove_all(path_);
  WriteDatabase(path_, data);
  const auto solver = Solver(2);
  const caffe::DataParallel<double> parallel(solver.get(), Gpus(2));
  ExpectError([&] { solver->Solve(); }, "layer 'loss' (SoftmaxWithLoss)");
}

TEST_F(TrainedOnSeveralGpus, SolversOfNcclAreOneSolver) {
  if (caffe::Nccl::Get() == nullptr) GTEST_SKIP() << "this build has no NCCL";
  const int count = std::min(Count(), 3);
  // Records in turns: the same in every iteration, but not to the same solver.
  const std::string more = "iter_size: 1";
  std::vector<caffe::Datum> data;
  for (int i = 0; i < 13; ++i) data.push_back(DatumOf(RandomImage(5, 5, i), i % 4));
  std::filesystem::remove_all(path_);
  WriteDatabase(path_, data);
  const std::string text = "random_seed: 3 base_lr: 0.1 lr_policy: 'fixed' momentum: 0.9 ";
  const auto net = [&](int batch_size) {
    return ClassifierText("layer { name: 'data' type: 'Data' top: 'data' top: 'label' data_param { source: '" + path_ +
                          "' backend: LMDB batch_size: " + std::to_string(batch_size) +
                          " } transform_param { scale: 0.01 } } ");
  };
  const auto make = [&](int batch_size) {
    return std::shared_ptr<caffe::Solver<double>>(
        caffe::SolverRegistry<double>::CreateSolver(SolverText(text, net(batch_size))));
  };
  const std::string uid = caffe::NCCL<double>::new_uid();
  std::vector<std::vector<double>> weights(count);
  OnEach(count, [&](int rank) {
    const auto solver = make(2);
    caffe::NCCL<double> nccl(solver, uid);
    solver->add_callback(&nccl);
    nccl.Broadcast();
    solver->Step(4);
    weights[rank] = Weights(solver.get());
  });
  Caffe::set_mode(Caffe::CPU);
  const auto one = make(2 * count);
  one->Step(4);
  ExpectAllNear(weights[0], Weights(one.get()), tolerance::kReorderedTraining);
  for (const auto& others : weights) EXPECT_EQ(others, weights[0]);
}

TEST_F(SeveralGpus, ANetOfAnotherGpuHasTheNextBatchAndTheSameResults) {
  // Random numbers, new in every batch.
  const std::string text = ClassifierText(R"(layer { name: 'data' type: 'DummyData' top: 'data' top: 'label'
    dummy_data_param { shape { dim: 2 dim: 3 dim: 5 dim: 5 } shape { dim: 2 }
                       data_filler { type: 'gaussian' } data_filler { value: 1 } } } )");
  const auto net = MakeNet<double>(text), reference = MakeNet<double>(text);
  caffe::NetReplica<double> replica(net.get(), 1, 1, 2, 5);
  replica.TakeWeights();
  const auto next_of_reference = [&] {
    reference->Forward();
    return std::vector<std::vector<double>>{Data(*reference->blob_by_name("data")),
                                            Data(*reference->blob_by_name("ip")), Data(*reference->output_blobs()[0])};
  };
  Caffe::set_random_seed(9);
  std::vector<std::vector<std::vector<double>>> expected;
  for (int i = 0; i < 3; ++i) expected.push_back(next_of_reference());
  Caffe::set_random_seed(9);
  for (int i = 0; i < 3; ++i) {
    if (i != 1) {
      replica.TakeBatch();
      replica.thread().Run([&] { replica.net().Forward(); });
    } else {
      net->Forward();
    }
    const caffe::Net<double>& used = i == 1 ? *net : replica.net();
    EXPECT_EQ(Data(*used.blob_by_name("data")), expected[i][0]);
    EXPECT_EQ(Data(*used.blob_by_name("ip")), expected[i][1]);
    EXPECT_EQ(Data(*used.output_blobs()[0]), expected[i][2]);
  }
}

}  // namespace
}  // namespace rxnn::testing
