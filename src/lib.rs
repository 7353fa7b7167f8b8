//! `lbaudit` reads HAProxy and nginx configurations into one model, computes where traffic goes and
//! reports what would send it to the wrong place.
//!
//! The pipeline, top to bottom: files are found, loaded into [`source::Sources`], parsed and lowered
//! by an [`engine`] into the [`model`], judged by [`rules`] with the help of [`predict`], and the
//! findings are written by a report.

pub mod audit;
pub mod baseline;
pub mod cli;
pub mod commands;
pub mod diff;
pub mod discover;
pub mod engine;
pub mod error;
pub mod finding;
pub mod git;
pub mod metrics;
pub mod model;
pub mod predict;
pub mod report;
pub mod rules;
pub mod settings;
pub mod source;
mod spelling;
pub mod suppress;
pub mod threads;
