"""One application per framework, each as the framework's own documentation would write it."""
