//! Holds values against `docs/events.schema.json`, in as much of JSON Schema as it uses; what it does not know, it
//! refuses to overlook.

use serde_json::{Map, Value};

/// The schema of a line of `receive --json`.
pub struct Schema(Value);

impl Schema {
    pub fn of_events() -> Self {
        Self(serde_json::from_str(include_str!("../../docs/events.schema.json")).unwrap())
    }

    /// What is wrong with a value.
    pub fn check(&self, value: &Value) -> Result<(), String> {
        self.follows(&self.0, value)
    }

    /// All names of properties, wherever they stand.
    pub fn keys(&self) -> Vec<String> {
        let mut keys = Vec::new();
        collect(&self.0, &mut keys);
        keys
    }

    fn follows(&self, schema: &Value, value: &Value) -> Result<(), String> {
        let rules = schema.as_object().unwrap();
        for (rule, wanted) in rules {
            self.follows_rule(rules, rule, wanted, value)?;
        }
        Ok(())
    }

    fn follows_rule(
        &self,
        rules: &Map<String, Value>,
        rule: &str,
        wanted: &Value,
        value: &Value,
    ) -> Result<(), String> {
        let length = || value.as_str().map(|text| text.chars().count() as u64);
        let bound = wanted.as_u64();
        let good = match rule {
            "$schema" | "title" | "$defs" => true,
            "$ref" => {
                let name = wanted.as_str().unwrap().strip_prefix("#/$defs/").unwrap();
                return self.follows(&self.0["$defs"][name], value);
            }
            "oneOf" => return self.follows_one(wanted.as_array().unwrap(), value),
            "const" => value == wanted,
            "enum" => wanted.as_array().unwrap().contains(value),
            "type" => match wanted {
                Value::Array(types) => types.iter().any(|name| is_of(value, name)),
                name => is_of(value, name),
            },
            "minimum" => value.as_i64().is_none_or(|number| number >= wanted.as_i64().unwrap()),
            "minLength" => length().is_none_or(|length| length >= bound.unwrap()),
            "maxLength" => length().is_none_or(|length| length <= bound.unwrap()),
            "required" => {
                let keys = wanted.as_array().unwrap().iter().map(|key| key.as_str().unwrap());
                keys.into_iter().all(|key| value.get(key).is_some())
            }
            "properties" => {
                for (key, schema) in wanted.as_object().unwrap() {
                    if let Some(value) = value.get(key) {
                        self.follows(schema, value).map_err(|wrong| format!("{key}: {wrong}"))?;
                    }
                }
                true
            }
            "additionalProperties" => {
                assert_eq!(wanted, false);
                let known = rules["properties"].as_object().unwrap();
                value.as_object().is_none_or(|object| object.keys().all(|key| known.contains_key(key)))
            }
            "items" => {
                for item in value.as_array().into_iter().flatten() {
                    self.follows(wanted, item)?;
                }
                true
            }
            unknown => panic!("the schema has {unknown}, which nothing here understands"),
        };
        if good { Ok(()) } else { Err(format!("{rule} {wanted} does not hold for {value}")) }
    }

    fn follows_one(&self, schemas: &[Value], value: &Value) -> Result<(), String> {
        let results: Vec<_> = schemas.iter().map(|schema| self.follows(schema, value)).collect();
        match results.iter().filter(|result| result.is_ok()).count() {
            1 => Ok(()),
            count => Err(format!("{count} of oneOf hold for {value}: {results:?}")),
        }
    }
}

fn is_of(value: &Value, name: &Value) -> bool {
    match name.as_str().unwrap() {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        unknown => panic!("the schema has the type {unknown}"),
    }
}

fn collect(schema: &Value, keys: &mut Vec<String>) {
    match schema {
        Value::Object(rules) => {
            if let Some(Value::Object(properties)) = rules.get("properties") {
                keys.extend(properties.keys().cloned());
            }
            rules.values().for_each(|schema| collect(schema, keys));
        }
        Value::Array(schemas) => schemas.iter().for_each(|schema| collect(schema, keys)),
        _ => {}
    }
}

#[test]
fn what_is_wrong_is_found() {
    let schema = Schema::of_events();
    let line = |text: &str| schema.check(&serde_json::from_str(text).unwrap());
    assert_eq!(line(r#"{"event":"profile"}"#), Ok(()));
    assert_eq!(line(r#"{"event":"state","conversation":"05","message_id":1,"state":"sent"}"#), Ok(()));
    for bad in [
        r#"{}"#,
        r#"{"event":"unheard_of"}"#,
        r#"{"event":"profile","more":1}"#,
        r#"{"event":"state","conversation":"05","message_id":1}"#,
        r#"{"event":"state","conversation":"05","message_id":"1","state":"sent"}"#,
        r#"{"event":"state","conversation":"","message_id":1,"state":"sent"}"#,
        r#"{"event":"state","conversation":"05","message_id":1,"state":"lost"}"#,
        r#"[]"#,
    ] {
        assert!(line(bad).is_err(), "{bad}");
    }
}
