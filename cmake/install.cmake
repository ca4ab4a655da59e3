# What `cmake --install` puts down: the program, the headers of the contract, and one archive of all that an embedding program links.
# find_package(conductorai) gives the target conductorai::conductorai.

include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

get_property(parts GLOBAL PROPERTY CONDUCTORAI_PARTS)
list(REMOVE_ITEM parts conductorai_cli conductorai_report)
add_library(conductorai_archive STATIC)
set_target_properties(conductorai_archive PROPERTIES OUTPUT_NAME conductorai LINKER_LANGUAGE CXX)
foreach(part ${parts})
  target_sources(conductorai_archive PRIVATE $<TARGET_OBJECTS:${part}>)
endforeach()

configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/conductoraiConfig.cmake.in ${PROJECT_BINARY_DIR}/conductoraiConfig.cmake
                              INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/conductorai PATH_VARS CMAKE_INSTALL_LIBDIR CMAKE_INSTALL_INCLUDEDIR)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/conductoraiConfigVersion.cmake COMPATIBILITY SameMinorVersion)

install(TARGETS conductorai conductorai_bench RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(FILES $<TARGET_FILE:conductorai_archive> DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/conductorai DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(FILES ${PROJECT_BINARY_DIR}/conductoraiConfig.cmake ${PROJECT_BINARY_DIR}/conductoraiConfigVersion.cmake
        DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/conductorai)
