// Training on several GPUs from scripts.
#include "caffe/parallel.hpp"
#include "caffe/util/gpu_runtime.hpp"
#include "caffe_bindings.hpp"

namespace pycaffe {
namespace {

using Solver = caffe::Solver<float>;
using SolverPtr = std::shared_ptr<Solver>;
using Nccl = caffe::NCCL<float>;
using Parallel = caffe::DataParallel<float>;
using Unlocked = py::call_guard<py::gil_scoped_release>;

bool IsParallel(Solver& solver) {
  for (const auto* callback : solver.callbacks()) {
    if (dynamic_cast<const Parallel*>(callback) != nullptr) return true;
  }
  return false;
}

void UseGpus(const SolverPtr& solver, const std::vector<int>& gpus) {
  CAFFE_REQUIRE(!IsParallel(*solver)) << "use_gpus: the solver has its GPUs; make another one";
  std::shared_ptr<Parallel> parallel;
  {
    const py::gil_scoped_release unlocked;
    caffe::UseGpus(gpus);
    parallel = std::make_shared<Parallel>(solver.get(), gpus);
  }
  KeepWith(solver, std::move(parallel));
}

}  // namespace

void BindParallel(py::module_& module) {
  module.def(
      "has_nccl", [] { return caffe::Nccl::Get() != nullptr; },
      "Whether this build has NCCL, which caffe.NCCL needs and Solver.use_gpus takes where it is there.");
  py::class_<Nccl, std::shared_ptr<Nccl>>(module, "NCCL",
                                          "One of solver_count() solvers that train together, number solver_rank(), "
                                          "each with a GPU in a thread or process of "
                                          "its own. Raises caffe.Error in a build without NCCL.")
      .def(py::init([](const SolverPtr& solver, const std::string& uid) {
             const py::gil_scoped_release unlocked;  // others may be threads of this interpreter
             return std::make_shared<Nccl>(solver, uid);
           }),
           py::arg("solver").none(false), py::arg("uid"), "Joins the group `uid`; returns when all solvers have.")
      .def_static(
          "new_uid", [] { return py::bytes(Nccl::new_uid()); }, "The name of a new group, for all its solvers: bytes.")
      .def("bcast", &Nccl::Broadcast, Unlocked(), "Gives all solvers the weights of the first.");

  py::reinterpret_borrow<py::class_<Solver, SolverPtr>>(module.attr("Solver"))
      .def(
          "add_callback",
          [](const SolverPtr& solver, std::shared_ptr<Nccl> nccl) {
            solver->add_callback(nccl.get());
            KeepWith(solver, std::move(nccl));
          },
          py::arg("nccl").none(false), "Trains with the other solvers of the group: on the mean of all gradients.")
      .def("use_gpus", &UseGpus, py::arg("gpus"),
           "Trains on several GPUs: each takes a batch of the solver's net in every pass, and the gradient is the mean "
           "over them. Puts this thread into GPU mode on the first, which is the solver's.");
  py::reinterpret_borrow<py::class_<Network, std::shared_ptr<Network>>>(module.attr("Net"))
      .def(
          "after_backward", [](const Network&, const Nccl&) {}, py::arg("nccl"),
          "Nothing, for scripts that ask for layer-wise sums: gradients are summed when all are there.");
}

}  // namespace pycaffe
