"""How a process is confined: namespaces, a private root, Landlock, a seccomp filter, limits."""
