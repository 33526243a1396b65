//! The board on which keepers write how their children are; every change is also written for other processes.

use crate::home::Home;
use crate::run_state::{ChildState, Process, RunState};
use souk_kernel::Clock;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The shared state of one run.
#[derive(Clone)]
pub struct Board {
    home: Home,
    clock: Clock,
    state: Arc<Mutex<RunState>>,
}

impl Board {
    /// An empty board of this process.
    #[must_use]
    pub fn new(home: Home) -> Self {
        let own = i32::try_from(std::process::id()).unwrap_or(0);
        let state = RunState {
            supervisor: Process::of(own),
            ready: false,
            children: Vec::new(),
            summary: Vec::new(),
            variables: Vec::new(),
        };
        Self { home, clock: Clock::system(), state: Arc::new(Mutex::new(state)) }
    }

    /// Changes the state and writes it.
    pub fn change(&self, change: impl FnOnce(&mut RunState)) {
        let mut state = self.lock();
        change(&mut state);
        // Others see an older state then; the children are what matters.
        if let Err(error) = state.write(&self.home) {
            eprintln!("souk: the state cannot be written: {error:#}");
        }
    }

    /// Notes how a child is now.
    pub fn note(&self, name: &str, state: &str, process: Option<Process>, last_exit: Option<String>) {
        let since = self.clock.now();
        self.change(|run| {
            if let Some(child) = run.children.iter_mut().find(|child| child.name == name) {
                child.restarts += u32::from(state == "running" && child.last_exit.is_some());
                child.state = state.to_owned();
                child.process = process;
                child.since = since;
                if last_exit.is_some() {
                    child.last_exit = last_exit;
                }
            } else {
                run.children.push(ChildState {
                    name: name.to_owned(),
                    process,
                    state: state.to_owned(),
                    restarts: 0,
                    since,
                    last_exit,
                });
            }
        });
    }

    /// How a child is.
    #[must_use]
    pub fn child(&self, name: &str) -> Option<ChildState> {
        self.lock().children.iter().find(|child| child.name == name).cloned()
    }

    fn lock(&self) -> MutexGuard<'_, RunState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
