"""HTTP's vocabulary, without I/O: what is written in headers, cookies, URLs and bodies."""
