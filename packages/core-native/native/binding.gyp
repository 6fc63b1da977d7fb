# The Node-API addon. Here and not in the package's root, where package managers would take it for an order to compile.
{
  'targets': [
    {
      'target_name': 'memlane-core',
      'sources': ['src/all.cpp'],
      'include_dirs': ['../include'],
      # "All" exceptions: with the lesser setting a std::exception that reaches JavaScript ends the process.
      'dependencies': ["<!(node -p \"require('node-addon-api').targets\"):node_addon_api_except_all"],
      'defines': [
        'NAPI_VERSION=8',
        # In a worker that is being terminated no exception can be thrown into JavaScript any more. Without this, trying it
        # ends the process.
        'NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS',
      ],
      'cflags_cc': ['-std=c++20', '-fvisibility=hidden', '-fvisibility-inlines-hidden', '-Wall', '-Wextra'],
      'cflags_cc!': ['-std=gnu++17', '-std=gnu++20', '-fno-exceptions', '-fno-rtti'],
      'conditions': [
        # The core installs handlers for fork and exit, and runs a thread: its code must never go away.
        ['OS=="linux"', {'ldflags': ['-Wl,-z,nodelete', '-Wl,--version-script=<(module_root_dir)/exports.map']}],
        ['OS=="mac"', {
          'xcode_settings': {
            'CLANG_CXX_LANGUAGE_STANDARD': 'c++20',
            'GCC_SYMBOLS_PRIVATE_EXTERN': 'YES',
            'MACOSX_DEPLOYMENT_TARGET': '11.0',
          },
        }],
      ],
    },
  ],
}
