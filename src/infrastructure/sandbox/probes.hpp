#pragma once

namespace conductorai::infrastructure {

/// Runs inside: tries the escape `name`. Exit code 0: it got out (what it got stands on stdout); 1: denied (why); 2: no such probe.
int probe(const char* name, char** args);

}  // namespace conductorai::infrastructure
