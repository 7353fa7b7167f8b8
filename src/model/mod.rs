//! The normalized model: what both engines' configurations mean, with no syntax left in it.
//!
//! In: nothing of its own; `engine` lowers syntax trees into these types. Out: what `predict`
//! computes shares from, rules judge and reports print. Every value that can be inherited is a
//! [`Setting`], which says where it comes from.

mod address;
mod algorithm;
mod backend;
mod flow;
mod health;
mod instance;
mod listener;
mod resolve;
mod route;
mod route_index;
mod server;
mod setting;

pub use address::{Address, AddressKind, Port};
pub use algorithm::{Algorithm, HashFunction, HashKey, HashMethod, HashType};
pub use backend::{Backend, Cookie, DefaultServer, Layer, Redispatch, StickRule, Timeouts};
pub use flow::{Candidate, Flow};
pub use health::{CheckProtocol, CheckTiming, PassiveCheck};
pub use instance::{Engine, Instance, NotModelled, Version, Workers};
pub use listener::{Bind, Listener};
pub use resolve::Answers;
pub use route::{
    Assignment, Condition, NextUpstream, PathMatch, RandomDraw, Route, Split, SplitKind, SplitPart,
    Target,
};
pub use server::{Server, ServerOptions, Template};
pub use setting::{Origin, OriginKind, Setting};

/// Text of a configuration: names, addresses, expressions. Short ones need no allocation.
pub type Text = compact_str::CompactString;
