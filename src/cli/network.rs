//! `septet path`, `septet devnet` and `septet node-snapshot`.

use std::path::{self, PathBuf};
use std::time::Duration;

use clap::Args as ClapArgs;
use schemars::JsonSchema;
use septet_client::event::Event;
use septet_client::model::{Connection, ConnectionState, PathHop};
use septet_devnet::Devnet;
use septet_network::{NetworkError, NodeSnapshot};
use septet_protocol::id::SessionId;
use septet_protocol::name::Name;
use serde::Serialize;

use super::args::values;
use super::call::{Answer, Call, Context, params};
use super::common::Common;
use super::output::Output;
use super::{Failure, session};

/// How long to wait for a path if nothing else is said.
const PATH: Duration = Duration::from_secs(30);

/// Options of `devnet`.
#[derive(ClapArgs)]
pub struct DevnetOptions {
    /// Number of swarms, each of seven nodes
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..=100))]
    pub swarms: u16,
    /// Keep the network's state in this folder
    #[arg(long, value_name = "DIR")]
    pub state: Option<PathBuf>,
    /// Let the network's clock differ from the machine's by so many seconds
    #[arg(long, value_name = "S", default_value_t = 0, allow_negative_numbers = true)]
    pub clock_offset: i32,
    /// Register a name (ONS) for an account; may be repeated
    #[arg(long = "register", value_name = "NAME=ID", value_parser = values::registration)]
    pub names: Vec<(Name, SessionId)>,
    /// Write a network file for --network
    #[arg(long, value_name = "FILE")]
    pub write_network: Option<PathBuf>,
}
params! {
    /// The onion paths in use
    pub struct Path {}
}

/// The onion paths in use, each from its guard on.
#[derive(Serialize, JsonSchema)]
pub struct Paths {
    paths: Vec<Vec<PathHop>>,
}

impl Call for Path {
    const NAME: &'static str = "path";
    type Answer = Paths;

    /// Waits until there is one, then tells all.
    async fn run(self, context: &Context) -> Result<Paths, Failure> {
        let client = context.client().await?;
        let mut events = client.subscribe();
        client.start();
        let connected = async {
            loop {
                let connection = client.connection();
                if connection.state == ConnectionState::Connected && !connection.paths.is_empty() {
                    return connection;
                }
                // Lagging behind is fine: what counts is read above.
                while !matches!(events.recv().await, Ok(Event::Connection(_)) | Err(_)) {}
            }
        };
        let Connection { paths, .. } = tokio::time::timeout(context.limit(PATH), connected)
            .await
            .map_err(|_| Failure::offline("No path through the network could be built in time."))?;
        Ok(Paths { paths })
    }
}

impl Answer for Paths {
    fn text(&self) -> Option<String> {
        let hop = |hop: &PathHop| match &hop.country {
            Some(country) => format!("{} ({country})", hop.ip),
            None => hop.ip.clone(),
        };
        let line = |path: &Vec<PathHop>| path.iter().map(hop).collect::<Vec<_>>().join(" → ");
        Some(self.paths.iter().map(line).collect::<Vec<_>>().join("\n"))
    }
}

#[derive(Serialize)]
struct Started {
    seed: String,
    network_file: Option<String>,
}

/// `devnet`: runs until Ctrl+C.
pub async fn devnet(options: DevnetOptions, output: &Output) -> Result<(), Failure> {
    let failed = |error: &dyn std::fmt::Display| {
        Failure::failed("devnet", format!("The local network could not start: {error}."))
    };
    let mut builder = Devnet::builder().swarms(usize::from(options.swarms));
    if let Some(state) = options.state {
        builder = builder.state_dir(state);
    }
    let devnet = builder.start().await.map_err(|error| failed(&error))?;
    devnet.set_clock_offset(i64::from(options.clock_offset) * 1000);
    for (name, account) in &options.names {
        devnet.register_name(name, account);
    }
    if let Some(file) = &options.write_network {
        devnet.write_network_file(file).map_err(|error| unwritable(file, &error))?;
    }
    let started = Started {
        seed: devnet.seed_url(),
        network_file: options.write_network.as_ref().map(|file| file.display().to_string()),
    };
    output.result(&started, || {
        let file = started.network_file.as_ref();
        let hint = file.map(|file| format!("\nUse it with: septet --network {file} …")).unwrap_or_default();
        format!("A local network is running. Seed: {}{hint}\nCtrl+C ends it.", started.seed)
    });
    session::interrupted().await?;
    devnet.shutdown().await;
    Ok(())
}

#[derive(Serialize)]
struct Written {
    nodes: usize,
}

/// `node-snapshot`: asks the seeds for the list of nodes and writes it to a file.
pub async fn node_snapshot(file: &path::Path, common: &Common, output: &Output) -> Result<(), Failure> {
    let snapshot = NodeSnapshot::take(&common.network()?).await.map_err(|error| match error {
        NetworkError::Offline => Failure::offline("No seed has given a list of nodes."),
        other => Failure::failed("node_snapshot", format!("The list of nodes cannot be had: {other}.")),
    })?;
    std::fs::write(file, snapshot.to_text()).map_err(|error| unwritable(file, &error))?;
    let written = Written { nodes: snapshot.len() };
    output.result(&written, || format!("{} nodes are in {}.", written.nodes, file.display()));
    Ok(())
}

fn unwritable(file: &path::Path, error: &impl std::fmt::Display) -> Failure {
    Failure::failed("unwritable", format!("Could not write {}: {error}.", file.display()))
}
