//! What `septet rpc` takes and tells, written down by itself: an OpenRPC document for programs, a page for people. Both
//! come from the types that are read and written.

use std::fmt::Write;

use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde_json::{Value, json};

use super::Form;
use super::hub::Told;
use crate::cli::methods::{self, Method};

/// Where the shapes stand in the document.
const SHAPES: &str = "/components/schemas";
/// What the page says before the methods.
const INTRODUCTION: &str = include_str!("introduction.md");

/// What there is, in one of its forms.
pub fn printed(form: Form) -> String {
    match form {
        Form::Openrpc => format!("{:#}", openrpc()),
        Form::Page => page(),
    }
}

/// The OpenRPC document.
pub fn openrpc() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|it| it.definitions_path = SHAPES.into());
    let mut generator = settings.for_serialize().into_generator();
    let settings = SchemaSettings::draft2020_12().with(|it| it.inline_subschemas = true);
    let mut taken = settings.for_deserialize().into_generator();
    let methods: Vec<Value> =
        methods::ALL.iter().map(|method| described(method, &mut taken, &mut generator)).collect();
    let told = generator.subschema_for::<Told>();
    json!({
        "openrpc": "1.3.2",
        "info": {
            "title": "septet rpc",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "An account of the Session messenger network at work. JSON-RPC 2.0, one object a line, on \
                stdin and stdout; docs/rpc.md tells the rest.",
            "license": {"name": "GPL-3.0-or-later"},
        },
        "methods": methods,
        "components": {"schemas": generator.take_definitions(true)},
        "x-notifications": [{
            "name": "event",
            "summary": "Something arrived or changed; docs/events.md tells what each key means",
            "params": told,
        }],
    })
}

/// A method as OpenRPC describes it.
fn described(method: &Method, taken: &mut SchemaGenerator, generator: &mut SchemaGenerator) -> Value {
    let params = (method.params)(taken).to_value();
    let mut all: Vec<Value> = parameters(&params);
    all.push(json!({
        "name": "timeout",
        "description": "Seconds to wait for the network, at most",
        "required": false,
        "schema": {"type": ["number", "null"], "minimum": 0, "maximum": 86400},
    }));
    json!({
        "name": method.name,
        "summary": at(&params, "description"),
        "paramStructure": "by-name",
        "params": all,
        "result": {"name": "result", "schema": (method.answer)(generator)},
    })
}

/// The parameters of a method, required ones first.
fn parameters(params: &Value) -> Vec<Value> {
    let required = |name: &str| {
        at(params, "required")
            .as_array()
            .is_some_and(|names| names.iter().any(|it| it.as_str() == Some(name)))
    };
    let mut all: Vec<(bool, Value)> = Vec::new();
    for (name, schema) in at(params, "properties").as_object().into_iter().flatten() {
        let mut schema = schema.clone();
        let description = schema.as_object_mut().and_then(|schema| schema.remove("description"));
        let required = required(name);
        all.push((
            !required,
            json!({"name": name, "description": description, "required": required, "schema": schema}),
        ));
    }
    all.sort_by_key(|(optional, _)| *optional);
    all.into_iter().map(|(_, it)| it).collect()
}

/// docs/rpc.md.
pub fn page() -> String {
    let document = openrpc();
    let mut page = INTRODUCTION.to_owned();
    for method in at(&document, "methods").as_array().into_iter().flatten() {
        describe_method(&mut page, method);
    }
    page.push_str("\n## Shapes\n");
    for (name, schema) in at(at(&document, "components"), "schemas").as_object().into_iter().flatten() {
        describe_shape(&mut page, name, schema);
    }
    page
}

fn describe_method(page: &mut String, method: &Value) {
    add(page, &format!("\n### `{}`\n\n{}.\n", text(at(method, "name")), text(at(method, "summary"))));
    // Every method has a timeout.
    let params =
        at(method, "params").as_array().into_iter().flatten().filter(|it| text(at(it, "name")) != "timeout");
    let rows: Vec<String> = params.map(parameter_row).collect();
    if !rows.is_empty() {
        add(page, &format!("\n| Parameter | Type | |\n|---|---|---|\n{}", rows.concat()));
    }
    add(page, &format!("\nAnswers {}.\n", kind(at(at(method, "result"), "schema"))));
}

fn parameter_row(param: &Value) -> String {
    let optional = if at(param, "required") == &Value::Bool(true) { "" } else { " (optional)" };
    let (name, description) = (text(at(param, "name")), one_line(text(at(param, "description"))));
    format!("| `{name}` | {}{optional} | {description} |\n", kind(at(param, "schema")))
}

fn describe_shape(page: &mut String, name: &str, schema: &Value) {
    add(page, &format!("\n### {name}\n\n"));
    if let Some(description) = at(schema, "description").as_str() {
        add(page, &format!("{}\n\n", one_line(description)));
    }
    describe_fields(page, schema);
    for variant in ["oneOf", "anyOf"].iter().flat_map(|key| at(schema, key).as_array()).flatten() {
        let description = at(variant, "description").as_str().map(one_line).unwrap_or_default();
        add(page, &format!("* {} {description}\n", kind(variant)));
        if at(variant, "properties").is_object() {
            for (key, schema) in fields(variant) {
                add(page, &format!("  * `{key}`: {}\n", kind(schema)));
            }
        }
    }
    if at(schema, "properties").is_null() && at(schema, "oneOf").is_null() && at(schema, "anyOf").is_null() {
        add(page, &format!("{}\n", kind(schema)));
    }
}

fn describe_fields(page: &mut String, schema: &Value) {
    let Some(all) = at(schema, "properties").as_object().filter(|all| !all.is_empty()) else { return };
    add(page, "| Key | Type | |\n|---|---|---|\n");
    for (key, schema) in all {
        let description = at(schema, "description").as_str().map(one_line).unwrap_or_default();
        add(page, &format!("| `{key}` | {} | {description} |\n", kind(schema)));
    }
}

fn fields(schema: &Value) -> impl Iterator<Item = (&String, &Value)> {
    at(schema, "properties").as_object().into_iter().flatten()
}

/// What a value is, in a few words.
fn kind(schema: &Value) -> String {
    if let Some(path) = at(schema, "$ref").as_str() {
        let name = path.rsplit('/').next().unwrap_or_default();
        return format!("[{name}](#{})", name.to_lowercase());
    }
    if let Some(value) = schema.get("const") {
        return format!("`{value}`");
    }
    if let Some(values) = at(schema, "enum").as_array() {
        let values: Vec<String> = values.iter().map(|value| format!("`{value}`")).collect();
        return values.join(", ");
    }
    if let Some(some) = at(schema, "anyOf").as_array().or(at(schema, "oneOf").as_array()) {
        return some.iter().map(kind).collect::<Vec<_>>().join(" or ");
    }
    match at(schema, "type") {
        Value::Array(types) => {
            types.iter().map(|it| named(text(it), schema)).collect::<Vec<_>>().join(" or ")
        }
        Value::String(name) => named(name, schema),
        _ => "anything".to_owned(),
    }
}

fn named(name: &str, schema: &Value) -> String {
    match name {
        "array" => format!("list of {}", kind(at(schema, "items"))),
        "string" => "text".to_owned(),
        "integer" => "whole number".to_owned(),
        "boolean" => "true or false".to_owned(),
        "object" => "object".to_owned(),
        other => other.to_owned(),
    }
}

/// What stands under a key; null if nothing does.
fn at<'a>(value: &'a Value, key: &str) -> &'a Value {
    value.get(key).unwrap_or(&Value::Null)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn add(page: &mut String, text: &str) {
    // Writing into memory cannot fail.
    let _ = page.write_str(text);
}
