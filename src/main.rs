//! The `lbaudit` program: arguments in, exit status out. The only place that prints.

fn main() {}
