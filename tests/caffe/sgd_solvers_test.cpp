// Every solver against its formula, written out in double precision for one weight at a time.
#include "caffe/sgd_solvers.hpp"

#include <cmath>
#include <numeric>

#include "tests/support/solver_problem.hpp"
#include "tests/support/temporary_directory.hpp"

namespace rxnn::testing {
namespace {

// What a solver file says. They are floats there, in double precision too.
struct Settings {
  float rate = 0.05f, momentum = 0, momentum2 = 0.999f, decay = 0, delta = 1e-8f, rms_decay = 0.99f, clip = -1;
  bool l1 = false;
  int iter_size = 1;
  std::string policy = "'fixed'";
};

// One weight: its gradient g (summed over the batches, clipped, unregularised) becomes its new value. s and t are what
// the solver remembers; `iteration` counts from 1.
struct OneWeight {
  double w = 0, s = 0, t = 0;
  // The same sums with magnitudes instead of values: what the roundings of the solver are relative to.
  double sum_of_magnitudes = 0;

  // Returns the magnitude of the step without cancellation.
  double Step(const std::string& type, const Settings& settings, double rate, double decay, double g, int iteration) {
    const double m = settings.momentum;
    const double magnitude = std::abs(g) / settings.iter_size + decay * (settings.l1 ? 1 : std::abs(w));
    g = g / settings.iter_size + decay * (settings.l1 ? (w > 0) - (w < 0) : w);
    double step = 0;
    double step_magnitude = 0;
    if (type == "SGD" || type == "Nesterov") {
      const double before = s;
      const double magnitude_before = sum_of_magnitudes;
      s = m * s + rate * g;
      sum_of_magnitudes = m * sum_of_magnitudes + rate * magnitude;
      step = type == "SGD" ? s : (1 + m) * s - m * before;
      step_magnitude = (1 + m) * sum_of_magnitudes + m * magnitude_before;
    } else if (type == "AdaGrad" || type == "RMSProp") {
      const double d = settings.rms_decay;
      s = type == "AdaGrad" ? s + g * g : d * s + (1 - d) * g * g;
      step = rate * g / (std::sqrt(s) + settings.delta);
      step_magnitude = rate * magnitude / (std::sqrt(s) + settings.delta);
    } else if (type == "AdaDelta") {
      s = m * s + (1 - m) * g * g;
      const double ratio = std::sqrt(t + settings.delta) / std::sqrt(s + settings.delta);
      t = m * t + (1 - m) * g * ratio * g * ratio;
      step = rate * g * ratio;
      step_magnitude = rate * magnitude * ratio;
    } else if (type == "Adam") {
      const double b2 = settings.momentum2;
      s = m * s + (1 - m) * g;
      t = b2 * t + (1 - b2) * g * g;
      sum_of_magnitudes = m * sum_of_magnitudes + (1 - m) * magnitude;
      const double correction = std::sqrt(1 - std::pow(b2, iteration)) / (1 - std::pow(m, iteration));
      step = rate * correction * s / (std::sqrt(t) + settings.delta);
      step_magnitude = rate * correction * sum_of_magnitudes / (std::sqrt(t) + settings.delta);
    } else {
      throw std::invalid_argument("no formula for " + type);
    }
    w -= step;
    return step_magnitude;
  }
};

// The learning rate and decay multipliers of each weight of the problem.
template <typename Dtype>
void Multipliers(caffe::Solver<Dtype>* solver, std::vector<double>* rates, std::vector<double>* decays) {
  const auto net = solver->net();
  for (size_t i = 0; i < net->learnable_params().size(); ++i) {
    rates->insert(rates->end(), net->learnable_params()[i]->count(), net->params_lr()[i]);
    decays->insert(decays->end(), net->learnable_params()[i]->count(), net->params_weight_decay()[i]);
  }
}

std::string Text(const std::string& type, const Settings& settings) {
  std::ostringstream text;
  text.precision(9);
  text << "type: '" << type << "' lr_policy: " << settings.policy << " base_lr: " << settings.rate
       << " momentum: " << settings.momentum << " momentum2: " << settings.momentum2
       << " weight_decay: " << settings.decay << " delta: " << settings.delta << " rms_decay: " << settings.rms_decay
       << " clip_gradients: " << settings.clip << " regularization_type: '" << (settings.l1 ? "L1" : "L2")
       << "' iter_size: " << settings.iter_size << " snapshot_after_train: false";
  return text.str();
}

// Weights and gradients come from the net itself, step by step, so that only what the solver remembers adds up errors.
template <typename Dtype>
void ExpectFollowsFormula(const std::string& type, const Settings& settings) {
  SCOPED_TRACE(Text(type, settings));
  const auto solver = MakeSolver<Dtype>(Text(type, settings));
  std::vector<double> rate_mult, decay_mult, gradients;
  Multipliers(solver.get(), &rate_mult, &decay_mult);
  SolverCallback<Dtype> grab([&] { gradients = Gradients(solver.get()); });
  solver->add_callback(&grab);

  std::vector<OneWeight> reference(rate_mult.size());
  bool clipped = false;
  for (int iteration = 1; iteration <= 10; ++iteration) {
    const std::vector<double> before = Weights(solver.get());
    solver->Step(1);
    ASSERT_EQ(solver->iter(), iteration);
    const double norm = std::sqrt(std::inner_product(gradients.begin(), gradients.end(), gradients.begin(), 0.0));
    const double scale = settings.clip >= 0 && norm > settings.clip ? settings.clip / norm : 1;
    clipped |= scale < 1;
    const std::vector<double> after = Weights(solver.get());
    for (size_t i = 0; i < reference.size(); ++i) {
      reference[i].w = before[i];
      const double step = reference[i].Step(type, settings, settings.rate * rate_mult[i],
                                            settings.decay * decay_mult[i], gradients[i] * scale, iteration);
      const double tolerance = tolerance::kFewRoundings<Dtype> * (std::abs(before[i]) + step);
      ASSERT_NEAR(after[i], reference[i].w, tolerance) << "weight " << i << " of iteration " << iteration;
    }
  }
  EXPECT_EQ(clipped, settings.clip >= 0);
}

template <typename Dtype>
class SGDSolversTest : public ::testing::Test {};
TYPED_TEST_SUITE(SGDSolversTest, BothTypes);

const std::vector<std::string> kTypes = {"SGD", "Nesterov", "AdaGrad", "RMSProp", "AdaDelta", "Adam"};

// Momentum where the solver takes one. AdaDelta has a rate of its own and wants a larger delta to get going.
Settings Usual(const std::string& type) {
  Settings settings;
  if (type != "AdaGrad" && type != "RMSProp") settings.momentum = 0.9;
  if (type == "AdaDelta") {
    settings.rate = 1;
    settings.momentum = 0.95;
    settings.delta = 1e-4;
  }
  return settings;
}

TYPED_TEST(SGDSolversTest, FollowTheirFormulas) {
  for (const std::string& type : kTypes) ExpectFollowsFormula<TypeParam>(type, Usual(type));
}

TYPED_TEST(SGDSolversTest, FollowTheirFormulasWithDecay) {
  for (const std::string& type : kTypes) {
    Settings settings = Usual(type);
    settings.decay = 0.1;
    ExpectFollowsFormula<TypeParam>(type, settings);
    settings.l1 = true;
    ExpectFollowsFormula<TypeParam>(type, settings);
  }
}

TYPED_TEST(SGDSolversTest, FollowTheirFormulasClipped) {
  for (const std::string& type : kTypes) {
    Settings settings = Usual(type);
    settings.clip = 0.05;
    settings.decay = 0.1;  // comes after clipping
    ExpectFollowsFormula<TypeParam>(type, settings);
  }
}

TYPED_TEST(SGDSolversTest, FollowTheirFormulasOverSeveralBatches) {
  for (const std::string& type : kTypes) {
    Settings settings = Usual(type);
    settings.iter_size = 3;
    settings.decay = 0.1;
    ExpectFollowsFormula<TypeParam>(type, settings);
  }
}

TYPED_TEST(SGDSolversTest, SGDWithoutMomentum) {
  ExpectFollowsFormula<TypeParam>("SGD", Settings());
  ExpectFollowsFormula<TypeParam>("Nesterov", Settings());
}

TYPED_TEST(SGDSolversTest, LearnTheProblem) {
  for (const std::string& type : kTypes) {
    SCOPED_TRACE(type);
    const auto solver = MakeSolver<TypeParam>(Text(type, Usual(type)));
    TypeParam before = 0, after = 0;
    solver->net()->Forward(&before);
    solver->Step(100);
    solver->net()->Forward(&after);
    EXPECT_LT(after, before / 2);
  }
}

// Writes the first or the second half of a batch into the inputs, in turn.
template <typename Dtype>
class HalfBatches : public caffe::Net<Dtype>::Callback {
 public:
  HalfBatches(caffe::Net<Dtype>* net, caffe::Net<Dtype>* whole) : net_(net), whole_(whole) {}

 protected:
  void run(int layer) override {
    if (layer != 0) return;
    for (int i = 0; i < 2; ++i) {
      caffe::Blob<Dtype>& half = *net_->input_blobs()[i];
      caffe::caffe_copy(half.count(), whole_->input_blobs()[i]->cpu_data() + turn_ * half.count(),
                        half.mutable_cpu_data());
    }
    turn_ = 1 - turn_;
  }

 private:
  caffe::Net<Dtype>* net_;
  caffe::Net<Dtype>* whole_;
  int turn_ = 0;
};

TEST(SGDSolversIterSize, TwoHalfBatchesAreOneBatch) {
  for (const std::string& type : kTypes) {
    SCOPED_TRACE(type);
    Settings settings = Usual(type);
    settings.decay = 0.01;
    const auto whole = MakeSolver<double>(Text(type, settings));
    settings.iter_size = 2;
    std::string net = SolverProblemNet();
    for (size_t at; (at = net.find("dim: 8")) != std::string::npos;) net.replace(at, 6, "dim: 4");
    const auto halves = MakeSolver<double>(Text(type, settings), net);
    HalfBatches<double> feed(halves->net().get(), whole->net().get());
    halves->net()->add_before_forward(&feed);
    whole->Step(5);
    halves->Step(5);
    ExpectAllNear(Weights(halves.get()), Weights(whole.get()), tolerance::kReorderedTraining);
  }
}

TEST(LearningRate, FollowsThePolicies) {
  const double base = 0.1, gamma = 0.5, power = 0.75;
  struct Policy {
    std::string text;
    std::function<double(int)> rate;
  };
  const std::vector<Policy> policies = {
      {"'fixed'", [=](int) { return base; }},
      {"'step' stepsize: 3", [=](int i) { return base * std::pow(gamma, i / 3); }},
      {"'exp'", [=](int i) { return base * std::pow(gamma, i); }},
      {"'inv'", [=](int i) { return base / std::pow(1 + gamma * i, power); }},
      {"'multistep' stepvalue: 2 stepvalue: 5 stepvalue: 6",
       [=](int i) { return base * std::pow(gamma, (i >= 2) + (i >= 5) + (i >= 6)); }},
      {"'poly' max_iter: 20", [=](int i) { return base * std::pow(1 - i / 20.0, power); }},
      {"'sigmoid' stepsize: 4", [=](int i) { return base / (1 + std::exp(-gamma * (i - 4))); }},
  };
  for (const Policy& policy : policies) {
    SCOPED_TRACE(policy.text);
    const auto solver = MakeSolver<double>("base_lr: 0.1 gamma: 0.5 power: 0.75 lr_policy: " + policy.text);
    auto* sgd = dynamic_cast<caffe::SGDSolver<double>*>(solver.get());
    for (int i = 0; i < 12; ++i) {
      // base_lr is a float in the file.
      ASSERT_NEAR(sgd->GetLearningRate(), policy.rate(i), 4 * tolerance::kFloatEps * base) << "iteration " << i;
      solver->Step(1);
    }
  }
}

TEST(LearningRate, RefusesWhatItDoesNotKnow) {
  ExpectError([] { MakeSolver<float>("base_lr: 0.1 lr_policy: 'cosine'"); },
              "Unknown learning rate policy: 'cosine' (known lr_policy values: exp, fixed");
  ExpectError([] { MakeSolver<float>("base_lr: 0.1")->Step(1); }, "Unknown learning rate policy: ''");
  ExpectError([] { MakeSolver<float>("base_lr: 0.1 lr_policy: 'step'"); }, "stepsize");
  ExpectError([] { MakeSolver<float>("base_lr: 0.1 lr_policy: 'poly'"); }, "max_iter");
}

TEST(SGDSolversErrors, NameWhatIsWrong) {
  ExpectError([] { MakeSolver<float>("type: 'AdaGrad' momentum: 0.9"); }, "Momentum cannot be used with AdaGrad");
  ExpectError([] { MakeSolver<float>("type: 'RMSProp' momentum: 0.9"); }, "Momentum cannot be used with RMSProp");
  ExpectError([] { MakeSolver<float>("type: 'RMSProp' rms_decay: 1"); }, "rms_decay");
  ExpectError([] { MakeSolver<float>("regularization_type: 'L3'"); }, "Unknown regularization type: L3");
  ExpectError([] { MakeSolver<float>("type: 'Sgd'"); },
              "Unknown solver type: Sgd (known types: AdaDelta, AdaGrad, Adam, Nesterov, RMSProp, SGD)");
}

TEST(SGDSolversTypes, AreThoseOfTheFactory) {
  for (const std::string& type : kTypes) EXPECT_EQ(MakeSolver<float>("type: '" + type + "'")->type(), type);
}

// ---- Snapshots: half the way, a snapshot, a new solver, the other half; equal to the bit.

template <typename Dtype>
void ExpectResumesToTheBit(const std::string& type, const std::string& format) {
  SCOPED_TRACE(type + " " + format);
  const TemporaryDirectory folder;
  Settings settings = Usual(type);
  settings.decay = 0.01;
  settings.policy = "'multistep' stepvalue: 2 stepvalue: 5 gamma: 0.5";
  const std::string text =
      Text(type, settings) + " snapshot_format: " + format + " snapshot_prefix: '" + folder / "x" + "'";
  const std::string net = SolverProblemNet(/*dropout=*/true);
  const auto whole = MakeSolver<Dtype>(text, net);
  whole->Step(8);

  const auto first = MakeSolver<Dtype>(text, net);
  first->Step(4);
  first->Snapshot();
  const auto second = MakeSolver<Dtype>(text, net, /*seed=*/99);
  second->Resume((folder / "x_iter_4.solverstate").append(format == "HDF5" ? ".h5" : "").c_str());
  EXPECT_EQ(second->iter(), 4);
  ASSERT_EQ(Weights(second.get()), Weights(first.get()));
  second->Step(4);
  EXPECT_EQ(Weights(second.get()), Weights(whole.get()));
  EXPECT_EQ(History(second.get()), History(whole.get()));
}

TYPED_TEST(SGDSolversTest, ResumeToTheBit) {
  for (const std::string& type : kTypes) {
    ExpectResumesToTheBit<TypeParam>(type, "BINARYPROTO");
    ExpectResumesToTheBit<TypeParam>(type, "HDF5");
  }
}

TEST(SGDSolversSnapshot, RestoreLeavesRandomNumbersAlone) {
  const TemporaryDirectory folder;
  const auto solver = MakeSolver<float>("base_lr: 0.1 lr_policy: 'fixed' snapshot_prefix: '" + folder / "x" + "'");
  solver->Step(1);
  caffe::Caffe::set_random_seed(5);
  solver->Snapshot();
  const std::mt19937 of_snapshot = caffe::Caffe::rng();
  caffe::Caffe::set_random_seed(6);
  const std::mt19937 of_now = caffe::Caffe::rng();
  solver->Restore((folder / "x_iter_1.solverstate").c_str());
  EXPECT_EQ(caffe::Caffe::rng(), of_now);
  solver->Resume((folder / "x_iter_1.solverstate").c_str());
  EXPECT_EQ(caffe::Caffe::rng(), of_snapshot);
}

TEST(SGDSolversSnapshot, MovesAsAFolder) {
  const TemporaryDirectory before, after;
  const auto solver = MakeSolver<float>("base_lr: 0.1 lr_policy: 'fixed' snapshot_prefix: '" + before / "x" + "'");
  solver->Step(2);
  solver->Snapshot();
  for (const char* end : {"caffemodel", "solverstate"}) {
    const std::string name = std::string("x_iter_2.") + end;
    std::filesystem::rename(before / name, after / name);
  }
  const auto second = MakeSolver<float>("base_lr: 0.1 lr_policy: 'fixed'");
  second->Restore((after / "x_iter_2.solverstate").c_str());
  EXPECT_EQ(Weights(second.get()), Weights(solver.get()));
  std::filesystem::remove(after / "x_iter_2.caffemodel");
  ExpectError([&] { second->Restore((after / "x_iter_2.solverstate").c_str()); }, "x_iter_2.caffemodel");
}

TEST(SGDSolversSnapshot, OfAnotherSolverIsRefused) {
  for (const char* format : {"BINARYPROTO", "HDF5"}) {
    const TemporaryDirectory folder;
    const auto solver = MakeSolver<float>("type: 'Adam' base_lr: 0.1 lr_policy: 'fixed' snapshot_prefix: '" +
                                          folder / "x" + "' snapshot_format: " + format);
    solver->Step(1);
    solver->Snapshot();
    const std::string state =
        folder / (std::string("x_iter_1.solverstate") + (std::string(format) == "HDF5" ? ".h5" : ""));
    const auto other = MakeSolver<float>("base_lr: 0.1 lr_policy: 'fixed'");
    ExpectError([&] { other->Restore(state.c_str()); }, "holds 6 history blobs, this solver has 3");
    std::filesystem::resize_file(state, std::filesystem::file_size(state) / 2);
    ExpectError([&] { other->Restore(state.c_str()); }, "truncated");
  }
  const auto solver = MakeSolver<float>("");
  ExpectError([&] { solver->Restore("no.solverstate"); }, "File not found: no.solverstate");
}

TEST(SGDSolversSnapshot, WithDamagedNumbersIsRefused) {
  const TemporaryDirectory folder;
  const auto solver = MakeSolver<float>("base_lr: 0.1 lr_policy: 'fixed' snapshot_prefix: '" + folder / "x" + "'");
  solver->Step(1);
  solver->Snapshot();
  const std::string file = folder / "x_iter_1.solverstate";
  caffe::SolverState whole;
  caffe::ReadProtoFromBinaryFileOrDie(file, &whole);
  const auto refused = [&](const std::function<void(caffe::SolverState*)>& damage, const std::string& message) {
    caffe::SolverState state = whole;
    damage(&state);
    caffe::WriteProtoToBinaryFile(state, file);
    ExpectError([&] { solver->Resume(file.c_str()); }, file + ": " + message);
  };
  refused([](auto* state) { state->set_iter(-3); }, "is at iteration -3 and step 0 of the rate");
  refused([](auto* state) { state->set_current_step(-1); }, "is at iteration 1 and step -1 of the rate");
  refused([](auto* state) { state->mutable_resume()->set_random_state("7 x"); }, "the random state of the snapshot");
}

}  // namespace
}  // namespace rxnn::testing
