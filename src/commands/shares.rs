//! `lbaudit shares`: where does the traffic go, and where when a server dies?

use super::{Outcome, Run, finish, input, written};
use crate::audit::{Audit, Audited};
use crate::cli::SharesArgs;
use crate::error::Error;
use crate::model::{Backend, Instance};
use crate::predict::{
    Failure, MOST_SERVERS, Prediction, Rates, addresses, depends_on_length, failure, failures,
    predict, shares_of_length, worst,
};
use crate::report::traffic::{self, Document, Traffic};
use crate::spelling;

pub(super) fn run(args: &SharesArgs, run: &mut Run<'_>) -> Result<Outcome, Error> {
    let mut audit = input::read(&args.input, &input::settings(run.global)?)?;
    input::resolve(&mut audit, &args.names)?;
    let rates = rates(&args.demand)?;
    let mains = audit.instances.iter().filter_map(Audited::main);
    let document = Document {
        rows: traffic(&audit, args)?,
        addresses: addresses(mains, &rates),
        asked: !rates.is_empty(),
        filtered: !args.backend.is_empty() || !args.down.is_empty(),
    };
    written(traffic::write(&document, run.format()?, run.style, run.out))?;
    Ok(finish(audit, 0))
}

/// What each backend takes; one rate for a name.
fn rates(given: &[(String, f64)]) -> Result<Rates, Error> {
    let mut rates = Rates::new();
    for (name, rate) in given {
        if rates.insert(name.clone(), *rate).is_some() {
            return Err(Error::Usage(format!("`--demand` names `{name}` twice")));
        }
    }
    if !rates.is_empty() && rates.values().all(|rate| *rate <= 0.0) {
        let fault = "`--demand` gives no backend any traffic: one rate must be above 0";
        return Err(Error::Usage(fault.to_owned()));
    }
    Ok(rates)
}

fn traffic<'a>(audit: &'a Audit, args: &'a SharesArgs) -> Result<Vec<Traffic<'a>>, Error> {
    let mut rows = Vec::new();
    let mut known = Vec::new();
    for instance in audit.instances.iter().filter_map(|audited| audited.main()) {
        for backend in instance
            .backends
            .iter()
            .filter(|backend| !backend.servers.is_empty())
        {
            known.push(backend.name.as_str());
            if args.backend.is_empty() || args.backend.iter().any(|name| backend.name == *name) {
                let row = Row {
                    instance,
                    backend,
                    args,
                };
                rows.push(row.traffic());
            }
        }
    }
    let servers = || {
        rows.iter()
            .flat_map(|row| row.backend.servers.iter().map(|server| &*server.name))
    };
    for name in args
        .backend
        .iter()
        .chain(args.demand.iter().map(|(name, _)| name))
    {
        if !known.contains(&name.as_str()) {
            return Err(unknown("backend", name, known.iter().copied()));
        }
    }
    for name in &args.down {
        if !servers().any(|server| server == name) {
            return Err(unknown("server", name, servers()));
        }
    }
    if !args.down.is_empty() {
        // A backend without any of these servers has nothing to show.
        rows.retain(|row| !row.failures.is_empty());
    }
    Ok(rows)
}

/// One backend and what is asked about it.
struct Row<'a> {
    instance: &'a Instance,
    backend: &'a Backend,
    args: &'a SharesArgs,
}

impl<'a> Row<'a> {
    fn traffic(&self) -> Traffic<'a> {
        let Instance {
            engine, version, ..
        } = *self.instance;
        let mut now = predict(engine, version, self.backend, &[]);
        if let Some(now) = &mut now {
            self.narrow(now, &[]);
        }
        let any_length = self.args.key_length.is_none();
        let large = self.backend.servers.len() > MOST_SERVERS;
        Traffic {
            untried: large && self.args.down.is_empty() && now.is_some(),
            instance: &self.instance.name,
            engine,
            backend: self.backend,
            now,
            failures: self.failures(),
            worst_only: self.args.down.is_empty() && !self.args.each_failure,
            any_length: any_length && depends_on_length(engine, version, self.backend),
        }
    }

    fn failures(&self) -> Vec<Failure> {
        let Instance {
            engine, version, ..
        } = *self.instance;
        let mut all = if self.args.down.is_empty() {
            failures(engine, version, self.backend, &[]).unwrap_or_default()
        } else {
            let down = self.down();
            let given = (!down.is_empty()).then(|| failure(engine, version, self.backend, &down));
            given.flatten().into_iter().collect()
        };
        for failure in &mut all {
            self.narrow(&mut failure.after, &failure.down);
        }
        if self.args.each_failure || !self.args.down.is_empty() {
            all
        } else {
            worst(&all).cloned().into_iter().collect()
        }
    }

    /// The servers of `--down`.
    fn down(&self) -> Vec<usize> {
        let servers = self.backend.servers.iter().enumerate();
        let named =
            servers.filter(|(_, server)| self.args.down.iter().any(|name| server.name == *name));
        named.map(|(index, _)| index).collect()
    }

    /// Takes the shares of keys of one length, where one is given and matters.
    fn narrow(&self, prediction: &mut Prediction, down: &[usize]) {
        let Some(length) = self.args.key_length else {
            return;
        };
        let Instance {
            engine, version, ..
        } = *self.instance;
        let shares = shares_of_length(engine, version, self.backend, down, usize::from(length));
        if let Some(shares) = shares {
            prediction.shares = shares;
        }
    }
}

/// A name that is not there, with the nearest one that is.
pub(super) fn unknown<'n>(what: &str, name: &str, known: impl Iterator<Item = &'n str>) -> Error {
    let nearest = spelling::nearest(name, known);
    let hint = nearest.map(|nearest| format!("; did you mean `{nearest}`?"));
    let hint = hint.unwrap_or_default();
    Error::Usage(format!("there is no {what} `{name}`{hint}"))
}
