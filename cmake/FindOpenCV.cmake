# Debian puts OpenCV's own CMake package into libopencv-dev, which pulls in all of OpenCV; the engine needs three
# libraries of it, whose packages hold headers and libraries alone. Defines OpenCV_INCLUDE_DIRS and the imported targets
# opencv_<component>.
find_path(OpenCV_INCLUDE_DIRS opencv2/core.hpp PATH_SUFFIXES opencv4)
set(opencv_libraries)
foreach(component ${OpenCV_FIND_COMPONENTS})
  find_library(OpenCV_${component}_LIBRARY opencv_${component})
  list(APPEND opencv_libraries OpenCV_${component}_LIBRARY)
  if(OpenCV_${component}_LIBRARY AND NOT TARGET opencv_${component})
    add_library(opencv_${component} UNKNOWN IMPORTED GLOBAL) # tests make images with it
    set_target_properties(opencv_${component} PROPERTIES
      IMPORTED_LOCATION ${OpenCV_${component}_LIBRARY}
      INTERFACE_INCLUDE_DIRECTORIES ${OpenCV_INCLUDE_DIRS})
  endif()
endforeach()
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(OpenCV REQUIRED_VARS OpenCV_INCLUDE_DIRS ${opencv_libraries})
mark_as_advanced(OpenCV_INCLUDE_DIRS ${opencv_libraries})
