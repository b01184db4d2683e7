//! All commands that work on an account, in one list: what `septet rpc` takes, and what is documented.

use std::pin::Pin;

use schemars::{Schema, SchemaGenerator};
use serde_json::{Map, Value};

use super::call::{Call, Context};
use super::rpc::fetch::Receive;
use super::rpc::hub::{Ack, Cancel, Subscribe, Unsubscribe};
use super::{Failure, account, json, lists, messages, network, people, send, settings};

/// A request at work; what comes out is JSON.
pub type Running<'a> = Pin<Box<dyn Future<Output = Result<String, Failure>> + Send + 'a>>;

/// A command as a method.
pub struct Method {
    /// Its name.
    pub name: &'static str,
    /// What its parameters look like.
    pub params: fn(&mut SchemaGenerator) -> Schema,
    /// What its answer looks like.
    pub answer: fn(&mut SchemaGenerator) -> Schema,
    /// Does it with these parameters.
    pub call: for<'a> fn(Map<String, Value>, &'a Context) -> Result<Running<'a>, Failure>,
}

impl Method {
    const fn of<C: Call>() -> Self {
        Self {
            name: C::NAME,
            params: C::json_schema,
            answer: SchemaGenerator::subschema_for::<C::Answer>,
            call: call::<C>,
        }
    }
}

/// Reads the parameters of a command and begins it.
fn call<C: Call>(params: Map<String, Value>, context: &Context) -> Result<Running<'_>, Failure> {
    let call: C = serde_json::from_value(Value::Object(params))
        .map_err(|error| Failure::usage(format!("Wrong parameters: {error}.")))?;
    Ok(Box::pin(async move { Ok(json::line(&call.run(context).await?)) }))
}

/// All of them, as a person would look for them.
pub const ALL: &[Method] = &[
    Method::of::<account::Create>(),
    Method::of::<account::Restore>(),
    Method::of::<account::Show>(),
    Method::of::<account::Phrase>(),
    Method::of::<account::Set>(),
    Method::of::<send::Send>(),
    Method::of::<Receive>(),
    Method::of::<Subscribe>(),
    Method::of::<Unsubscribe>(),
    Method::of::<Ack>(),
    Method::of::<Cancel>(),
    Method::of::<lists::Conversations>(),
    Method::of::<messages::Messages>(),
    Method::of::<lists::Requests>(),
    Method::of::<lists::Contacts>(),
    Method::of::<people::React>(),
    Method::of::<people::Delete>(),
    Method::of::<people::MarkRead>(),
    Method::of::<people::MarkUnread>(),
    Method::of::<people::Accept>(),
    Method::of::<people::Decline>(),
    Method::of::<people::DeclineAll>(),
    Method::of::<people::Block>(),
    Method::of::<people::Unblock>(),
    Method::of::<people::Pin>(),
    Method::of::<people::Mute>(),
    Method::of::<people::Hide>(),
    Method::of::<people::Nickname>(),
    Method::of::<people::SetExpiry>(),
    Method::of::<people::DeleteConversation>(),
    Method::of::<people::DeleteContact>(),
    Method::of::<settings::Settings>(),
    Method::of::<network::Path>(),
];

/// The method of a name.
pub fn find(name: &str) -> Option<&'static Method> {
    ALL.iter().find(|method| method.name == name)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use clap::{Command, CommandFactory};
    use proptest::prelude::*;
    use schemars::generate::SchemaSettings;
    use septet_client::client::OpenOptions;
    use septet_network::NetworkConfig;

    use super::*;
    use crate::cli::args::Args;
    use crate::cli::call::Account;

    /// What runs something of its own, and has nothing to do with an account at work.
    const OTHERS: &[&str] = &["rpc", "devnet", "node_snapshot", "demo", "completions", "man", "help"];

    /// The commands below one, by their words joined.
    fn leaves(words: &str, command: &Command) -> Vec<(String, Command)> {
        let below = command.get_subcommands().flat_map(|it| {
            let name = it.get_name().replace('-', "_");
            leaves(&if words.is_empty() { name } else { format!("{words}_{name}") }, it)
        });
        match command.has_subcommands() {
            true => below.collect(),
            false => vec![(words.to_owned(), command.clone())],
        }
    }

    fn properties(method: &Method) -> BTreeSet<String> {
        let mut generator = SchemaSettings::draft2020_12().into_generator();
        let schema = (method.params)(&mut generator).to_value();
        schema["properties"].as_object().into_iter().flatten().map(|(key, _)| key.clone()).collect()
    }

    #[test]
    fn every_command_is_a_method_with_the_same_parameters() {
        let commands = leaves("", &Args::command());
        let mut missing: BTreeSet<_> = ALL.iter().map(|method| method.name).collect();
        for (name, command) in commands.iter().filter(|(name, _)| !OTHERS.contains(&name.as_str())) {
            let method = find(name).unwrap_or_else(|| panic!("{name} is no method"));
            missing.remove(name.as_str());
            let typed: BTreeSet<String> = command
                .get_arguments()
                .filter(|it| !it.is_global_set() && it.get_id() != "help")
                .map(|it| it.get_long().unwrap_or(it.get_id().as_str()).replace('-', "_"))
                .collect();
            // What is read from stdin is a parameter; how to print is none.
            match name.as_str() {
                "account_restore" => {
                    assert_eq!(properties(method), ["name", "recovery"].map(str::to_owned).into());
                }
                "receive" => assert_eq!(properties(method), BTreeSet::new()),
                _ => assert_eq!(properties(method), typed, "{name}"),
            }
        }
        assert_eq!(missing.into_iter().collect::<Vec<_>>(), ["$/cancel", "ack", "subscribe", "unsubscribe"]);
    }

    fn value() -> impl Strategy<Value = Value> {
        prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            "(off|after-read:|[0-9smhd]|\\PC){0,8}".prop_map(Value::from),
            prop::collection::vec("\\PC{0,4}", 0..3).prop_map(Value::from),
        ]
    }

    proptest! {
        #[test]
        fn wrong_parameters_are_wrong_usage(
            which in any::<prop::sample::Index>(),
            values in prop::collection::vec((any::<prop::sample::Index>(), value()), 0..5),
            unknown in prop::option::of("[a-z]{1,5}"),
        ) {
            let method = which.get(ALL);
            let names: Vec<String> = properties(method).into_iter().collect();
            let mut params: Map<String, Value> = unknown.into_iter().map(|name| (name, Value::Null)).collect();
            for (name, value) in values.into_iter().filter(|_| !names.is_empty()) {
                params.insert(name.get(&names).clone(), value);
            }
            let folder = std::env::temp_dir();
            let account = Account::new(folder, OpenOptions::new(NetworkConfig::testnet()), true);
            let context = Context::new(account.into(), None);
            // Nothing is begun before it is waited for.
            if let Err(failure) = (method.call)(params, &context) {
                prop_assert_eq!((failure.exit_code(), failure.code()), (Failure::USAGE, "usage"));
            }
        }
    }
}
