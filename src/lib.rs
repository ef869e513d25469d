//! The cheapest way to serve an LLM workload that meets every requirement, proven and explained.

pub mod accuracy;
pub mod answer;
pub mod bill;
pub mod calibrate;
pub mod candidate;
pub mod carbon;
pub mod catalog;
pub mod cli;
pub mod constraint;
pub mod custom;
pub mod error;
pub mod estimate;
pub mod explain;
pub mod formulate;
pub mod graph;
pub mod hybrid;
pub mod measure;
pub mod measurement;
pub mod pareto;
pub mod plan;
pub mod program;
pub mod quality;
pub mod reason;
pub mod recommendation;
pub mod regimes;
pub mod render;
pub mod request;
pub mod requirements;
pub mod search;
pub mod solve;
pub mod units;
pub mod verify;

pub use answer::recommend;
pub use request::{Options, Request};
