//! Patches: JSON pointers (RFC 6901) into the file as given, each with the value to assign.
//!
//! Missing objects on the way are created; items of lists must exist; lists are replaced whole; there is no null and
//! no `-`.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::codes;
use crate::error::{Fault, Place};

/// The document with every assignment of the patch made, shorter pointers first where one is inside another.
///
/// # Errors
/// A fault for each pointer that does not fit the document.
pub fn apply_patch(document: &Value, patch: &BTreeMap<String, Value>) -> Result<Value, Vec<Fault>> {
    let mut patched = document.clone();
    let faults: Vec<Fault> = patch
        .iter()
        .filter_map(|(pointer, value)| {
            let (cause, cure) = assign(&mut patched, pointer, value).err()?;
            let place = Place { file: "patch".to_owned(), key: pointer.clone(), ..Place::default() };
            Some(Fault { code: codes::BAD_PATCH, place, cause, cure: super::node::sentence(cure) })
        })
        .collect();
    if faults.is_empty() { Ok(patched) } else { Err(faults) }
}

type Misfit = (String, &'static str);

fn assign(document: &mut Value, pointer: &str, value: &Value) -> Result<(), Misfit> {
    if holds_null(value) {
        return Err(("the value is null".to_owned(), "Write the value itself"));
    }
    let Some(path) = pointer.strip_prefix('/') else {
        let cure = "Start with a slash, such as /budget/usd_per_month";
        return Err(("not a JSON pointer to a key".to_owned(), cure));
    };
    let mut target = document;
    for token in path.split('/') {
        let key = token.replace("~1", "/").replace("~0", "~");
        target = step(target, key)?;
    }
    *target = value.clone();
    Ok(())
}

fn step(target: &mut Value, key: String) -> Result<&mut Value, Misfit> {
    match target {
        Value::Null => {
            *target = Value::Object(Map::new());
            step(target, key)
        }
        Value::Object(map) => Ok(map.entry(key).or_insert(Value::Null)),
        Value::Array(items) => {
            let length = items.len();
            // RFC 6901: digits without leading zeros.
            let index = key.parse::<usize>().ok().filter(|index| index.to_string() == key);
            index.and_then(|index| items.get_mut(index)).ok_or_else(|| {
                let cause = format!("there is no item {key} in a list of {length}");
                (cause, "Name an item that exists, from 0, or replace the whole list")
            })
        }
        Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            Err((format!("{key} cannot be put inside {target}"), "Replace the value itself"))
        }
    }
}

fn holds_null(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.iter().any(holds_null),
        Value::Object(map) => map.values().any(holds_null),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn patched(pointer: &str, value: Value) -> Result<Value, Vec<Fault>> {
        let document =
            json!({"version": 1, "workloads": [{"name": "a", "latency": {"e2e_ms": {"p95": 2000}}}]});
        apply_patch(&document, &BTreeMap::from([(pointer.to_owned(), value)]))
    }

    #[test]
    fn assigns_and_creates_objects() {
        let document = patched("/workloads/0/latency/e2e_ms/p95", json!(2340)).unwrap();
        assert_eq!(document.pointer("/workloads/0/latency/e2e_ms/p95"), Some(&json!(2340)));
        let document = patched("/budget/usd_per_month", json!(612)).unwrap();
        assert_eq!(document.pointer("/budget"), Some(&json!({"usd_per_month": 612})));
        let document = patched("/allow/models", json!(["a~/b"])).unwrap();
        assert_eq!(document.pointer("/allow/models/0"), Some(&json!("a~/b")));
        let document = patched("/limits/gpus/a~1b~0c", json!(4)).unwrap();
        assert_eq!(document["limits"]["gpus"]["a/b~c"], json!(4));
    }

    #[test]
    fn refuses_what_does_not_fit() {
        for (pointer, value) in [
            ("", json!(1)),
            ("budget", json!(1)),
            ("/workloads/1/name", json!("b")),
            ("/workloads/-", json!({})),
            ("/workloads/00/name", json!("b")),
            ("/version/minor", json!(1)),
            ("/budget", json!(null)),
            ("/budget", json!({"usd_per_month": null})),
        ] {
            let faults = patched(pointer, value).unwrap_err();
            assert_eq!(faults[0].code, codes::BAD_PATCH, "{pointer}");
        }
    }
}
