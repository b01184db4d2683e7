//! All commands that work on an account, in one list: what `septet rpc` takes, and what is documented.

use std::pin::Pin;

use schemars::{Schema, SchemaGenerator};
use serde_json::{Map, Value};

use super::call::{Call, Context};
use super::{Failure, account, json, lists, messages, network, people, rpc, send};

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
    Method::of::<rpc::Receive>(),
    Method::of::<rpc::Subscribe>(),
    Method::of::<rpc::Unsubscribe>(),
    Method::of::<rpc::Ack>(),
    Method::of::<rpc::Cancel>(),
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
    Method::of::<people::Block>(),
    Method::of::<people::Unblock>(),
    Method::of::<people::Pin>(),
    Method::of::<people::Mute>(),
    Method::of::<people::Hide>(),
    Method::of::<people::Nickname>(),
    Method::of::<people::SetExpiry>(),
    Method::of::<people::DeleteConversation>(),
    Method::of::<people::DeleteContact>(),
    Method::of::<network::Path>(),
];

/// The method of a name.
pub fn find(name: &str) -> Option<&'static Method> {
    ALL.iter().find(|method| method.name == name)
}
