//! The partitions a consumer reads: what waits in each, and up to where it was heard.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rdkafka::TopicPartitionList;
use rdkafka::topic_partition_list::Offset;
use tokio::sync::mpsc;

/// More than this waiting in a partition: it is paused, and read on when this few are left.
const MOST_WAITING: usize = 64;
const FEW_WAITING: usize = 16;

/// A message as it was read.
pub(crate) struct Job {
    pub(crate) offset: i64,
    pub(crate) key: Option<Vec<u8>>,
    pub(crate) payload: Vec<u8>,
}

struct Lane {
    jobs: mpsc::UnboundedSender<Job>,
    waiting: usize,
    paused: bool,
    /// The next offset to read when all before it were heard; `None` until the first was.
    heard: Option<i64>,
    committed: Option<i64>,
    given_up: Arc<AtomicBool>,
}

/// What a lane's worker is given.
pub(crate) struct Work {
    pub(crate) jobs: mpsc::UnboundedReceiver<Job>,
    /// The partition belongs to somebody else now: begin nothing more.
    pub(crate) given_up: Arc<AtomicBool>,
}

/// All lanes of one consumer, shared between the reader, the workers and the rebalance callback.
pub(crate) struct Lanes {
    topic: String,
    lanes: Mutex<HashMap<i32, Lane>>,
}

impl Lanes {
    pub(crate) fn new(topic: String) -> Self {
        Self { topic, lanes: Mutex::new(HashMap::new()) }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<i32, Lane>> {
        // Every change is one assignment, so a panic elsewhere leaves the lanes as they were.
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hands a message to its partition's worker; `Some` when there is none yet, to be started.
    pub(crate) fn push(&self, partition: i32, job: Job) -> Option<Work> {
        let mut lanes = self.lock();
        let mut work = None;
        let lane = lanes.entry(partition).or_insert_with(|| {
            let (sender, jobs) = mpsc::unbounded_channel();
            let given_up = Arc::new(AtomicBool::new(false));
            work = Some(Work { jobs, given_up: Arc::clone(&given_up) });
            Lane { jobs: sender, waiting: 0, paused: false, heard: None, committed: None, given_up }
        });
        lane.waiting += 1;
        // The worker outlives the lane unless the lane was given up, and then the job is somebody else's.
        let _ = lane.jobs.send(job);
        work
    }

    /// Everything up to this offset was heard.
    pub(crate) fn heard(&self, partition: i32, given_up: &Arc<AtomicBool>, offset: i64) {
        if let Some(lane) = self.lock().get_mut(&partition)
            // Not a later lane of the same partition.
            && Arc::ptr_eq(&lane.given_up, given_up)
        {
            lane.waiting = lane.waiting.saturating_sub(1);
            lane.heard = Some(offset + 1);
        }
    }

    /// Partitions to pause and to read on, given what waits.
    pub(crate) fn pauses(&self) -> (TopicPartitionList, TopicPartitionList) {
        let (mut pause, mut resume) = (TopicPartitionList::new(), TopicPartitionList::new());
        for (partition, lane) in &mut *self.lock() {
            if !lane.paused && lane.waiting >= MOST_WAITING {
                lane.paused = true;
                pause.add_partition(&self.topic, *partition);
            } else if lane.paused && lane.waiting <= FEW_WAITING {
                lane.paused = false;
                resume.add_partition(&self.topic, *partition);
            }
        }
        (pause, resume)
    }

    /// What was heard since the last time, or with `once_more` all that was ever heard; taken as committed.
    pub(crate) fn to_commit(&self, once_more: bool) -> TopicPartitionList {
        let mut list = TopicPartitionList::new();
        for (partition, lane) in &mut *self.lock() {
            if let Some(heard) = lane.heard.filter(|_| once_more || lane.heard != lane.committed) {
                lane.committed = lane.heard;
                // Fails for negative offsets only.
                let _ = list.add_partition_offset(&self.topic, *partition, Offset::Offset(heard));
            }
        }
        list
    }

    /// Ends the lanes of these partitions; up to where each was heard.
    pub(crate) fn give_up(&self, partitions: &TopicPartitionList) -> TopicPartitionList {
        let mut list = TopicPartitionList::new();
        let mut lanes = self.lock();
        for element in partitions.elements() {
            if let Some(lane) = lanes.remove(&element.partition()) {
                lane.given_up.store(true, Ordering::SeqCst);
                if let Some(heard) = lane.heard.filter(|_| lane.heard != lane.committed) {
                    let _ =
                        list.add_partition_offset(&self.topic, element.partition(), Offset::Offset(heard));
                }
            }
        }
        list
    }

    /// Ends all lanes after what is being heard right now.
    pub(crate) fn close(&self) {
        for lane in self.lock().values_mut() {
            lane.given_up.store(true, Ordering::SeqCst);
            // The worker wakes up from waiting for a job.
            lane.jobs = mpsc::unbounded_channel().0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn partitions(list: &TopicPartitionList) -> Vec<i32> {
        list.elements().iter().map(|element| element.partition()).collect()
    }

    #[test]
    fn a_partition_is_paused_when_too_much_waits_and_read_on_when_little_is_left() {
        let lanes = Lanes::new("events".to_owned());
        let job = |offset| Job { offset, key: None, payload: Vec::new() };
        let asked = || {
            let (pause, resume) = lanes.pauses();
            (partitions(&pause), partitions(&resume))
        };
        let work = lanes.push(3, job(0)).expect("a lane's first job starts its worker");
        lanes.push(5, job(0));
        for offset in 1..63 {
            assert!(lanes.push(3, job(offset)).is_none(), "it has its worker");
        }
        assert_eq!(asked(), (vec![], vec![]), "63 may wait");
        lanes.push(3, job(63));
        assert_eq!(asked(), (vec![3], vec![]), "and no more; the other partition goes on");
        assert_eq!(asked(), (vec![], vec![]), "it is paused once");
        for offset in 0..47 {
            lanes.heard(3, &work.given_up, offset);
        }
        assert_eq!(asked(), (vec![], vec![]), "17 are left");
        lanes.heard(3, &work.given_up, 47);
        assert_eq!(asked(), (vec![], vec![3]));
        assert_eq!(asked(), (vec![], vec![]));
    }

    #[test]
    fn what_was_heard_is_committed_and_once_more_when_that_is_asked_for() {
        let lanes = Lanes::new("events".to_owned());
        let job = |offset| Job { offset, key: None, payload: Vec::new() };
        let work = lanes.push(3, job(7)).expect("a lane's first job starts its worker");
        lanes.push(5, job(0));
        assert_eq!(lanes.to_commit(true).count(), 0, "nothing was heard");
        lanes.heard(3, &work.given_up, 7);
        let place = |list: &TopicPartitionList| {
            let elements = list.elements();
            elements.iter().map(|element| (element.partition(), element.offset())).collect::<Vec<_>>()
        };
        let heard = vec![(3, Offset::Offset(8))];
        assert_eq!(place(&lanes.to_commit(false)), heard);
        assert_eq!(lanes.to_commit(false).count(), 0);
        assert_eq!(place(&lanes.to_commit(true)), heard);
    }
}
