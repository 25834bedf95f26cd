//! Every construct that is refused, and what the engine makes of it when nothing refuses it.
//!
//! `tests/property/portable_refused.json` says of each what OPA does. Its `embedded` is what this engine does, so
//! the two together show that the refusal has a reason.

use std::collections::BTreeMap;
use std::fs;

use _native::Policies;
use regorus::Value;
use serde_json::Value as Json;

const CASES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/property/portable_refused.json");

fn cases() -> Vec<Json> {
    let text = fs::read_to_string(CASES).expect("it is there");
    serde_json::from_str(&text).expect("it is JSON")
}

fn text(json: &Json) -> &str {
    json.as_str().expect("it is a text")
}

fn modules(case: &Json) -> BTreeMap<String, String> {
    let sources = case["modules"].as_array().expect("it is a list").iter();
    sources.enumerate().map(|(n, source)| (format!("{n}.rego"), text(source).to_owned())).collect()
}

fn entrypoint(case: &Json) -> String {
    let package = text(&case["modules"][0]).lines().next().and_then(|line| line.strip_prefix("package "));
    format!("data.{}.p", package.expect("it starts with its package"))
}

/// What the bare engine answers, as JSON text, `undefined` or `error`.
fn answer(case: &Json) -> String {
    let evaluate = || -> anyhow::Result<Value> {
        let mut engine = regorus::Engine::new();
        for (file, source) in modules(case) {
            engine.add_policy(file, source)?;
        }
        engine.set_input(Value::from_json_str(&case["input"].to_string())?);
        engine.eval_rule(entrypoint(case))
    };
    match evaluate() {
        Ok(Value::Undefined) => "undefined".to_owned(),
        Ok(value) => serde_json::to_string(&value).expect("it is JSON"),
        Err(_) => "error".to_owned(),
    }
}

#[test]
fn each_is_refused_with_its_reason() {
    for case in cases() {
        let fault = Policies::compile(&modules(&case), b"{}", &[entrypoint(&case)]).err();
        let message = fault.map(|fault| fault.to_string()).unwrap_or_default();
        assert!(message.contains(text(&case["says"])), "{}\n{message}", case["modules"]);
        assert!(!message.is_empty(), "{}", case["modules"]);
    }
}

#[test]
fn each_has_a_reason_in_the_engine() {
    let mut differ = 0;
    for case in cases().iter().filter(|case| case["embedded"].is_string()) {
        assert_eq!(answer(case), text(&case["embedded"]), "{}", case["modules"]);
        assert_ne!(case["embedded"], case["opa"], "{}", case["modules"]);
        differ += 1;
    }
    assert!(differ >= 200, "{differ}");
}
