//! Any bytes, read as a configuration of nginx, judged and reported.
#![no_main]

#[path = "../pipeline.rs"]
mod pipeline;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| pipeline::run(lbaudit::model::Engine::Nginx, bytes));
