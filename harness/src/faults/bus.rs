//! A bus that fails on plan.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::future::{Either, select};
use ports::Timestamp;
use ports::bus::{
    Bus, BusError, Consumer, Delivery, Message, Pending, PublishError, Published, Reply, Stream,
    Subscription,
};
use ports::clock::after;

use super::{Effect, Operation, Reach, Site};

pub(super) struct FaultyBus {
    pub(super) at: Site,
    pub(super) inner: Arc<dyn Bus>,
}

const DOWN: &str = "connection refused";
const LOST: &str = "connection lost before the answer";

impl Site {
    fn bus(&self) -> Result<(), BusError> {
        if self.is_cut(Reach::Bus) {
            return Err(BusError::Unavailable(DOWN.to_owned()));
        }
        Ok(())
    }
}

#[async_trait]
impl Bus for FaultyBus {
    async fn ensure(&self) -> Result<(), BusError> {
        self.at.bus()?;
        self.inner.ensure().await
    }

    async fn publish(&self, stream: Stream, message: Message) -> Result<Published, PublishError> {
        if self.at.is_cut(Reach::Bus) {
            return Err(PublishError::Unavailable(DOWN.to_owned()));
        }
        match self.at.inject(Operation::Publish, &message.subject) {
            Some(Effect::Fail) => Err(PublishError::Unavailable(DOWN.to_owned())),
            Some(Effect::Vanish) => Err(PublishError::Unknown(LOST.to_owned())),
            Some(Effect::FailAfter) => {
                self.inner.publish(stream, message).await?;
                Err(PublishError::Unknown(LOST.to_owned()))
            }
            Some(Effect::Delay(by)) => {
                self.at.clock.sleep(by).await;
                self.inner.publish(stream, message).await
            }
            Some(Effect::CrashBefore) => self.at.crash().await,
            Some(Effect::CrashAfter) => {
                // The outcome goes down with the instance.
                drop(self.inner.publish(stream, message).await);
                self.at.crash().await
            }
            _ => self.inner.publish(stream, message).await,
        }
    }

    async fn subscribe(&self, consumer: Consumer) -> Result<Box<dyn Subscription>, BusError> {
        self.at.bus()?;
        let inner = match self.at.inject(Operation::Open, &consumer.name) {
            Some(Effect::CrashBefore) => self.at.crash().await,
            Some(Effect::CrashAfter) => {
                drop(self.inner.subscribe(consumer).await);
                self.at.crash().await
            }
            Some(Effect::Fail) => return Err(BusError::Unavailable(DOWN.to_owned())),
            _ => self.inner.subscribe(consumer).await?,
        };
        Ok(Box::new(FaultySubscription { at: self.at.clone(), inner, held: Vec::new() }))
    }

    async fn pending(&self) -> Result<Vec<Pending>, BusError> {
        self.inner.pending().await
    }

    async fn ping(&self) -> Result<(), BusError> {
        self.at.bus()?;
        self.inner.ping().await
    }
}

struct FaultySubscription {
    at: Site,
    inner: Box<dyn Subscription>,
    /// Deliveries that reach the service later, and when.
    held: Vec<(Timestamp, Delivery)>,
}

impl FaultySubscription {
    /// The next delivery from inside, or a held one whose time has come.
    async fn take(&mut self) -> Result<(Delivery, bool), BusError> {
        let Some((at, _)) = self.held.iter().min_by_key(|(at, _)| *at) else {
            return Ok((self.inner.next().await?, true));
        };
        let at = *at;
        match select(self.inner.next(), self.at.clock.sleep_until(at)).await {
            Either::Left((delivery, _)) => Ok((delivery?, true)),
            Either::Right(_) => {
                let due = self.held.iter().position(|(when, _)| *when == at);
                Ok((self.held.remove(due.expect("it was just found")).1, false))
            }
        }
    }
}

#[async_trait]
impl Subscription for FaultySubscription {
    async fn next(&mut self) -> Result<Delivery, BusError> {
        loop {
            self.at.bus()?;
            let (delivery, fresh) = self.take().await?;
            // Cut while it waited: the delivery never got here.
            self.at.bus()?;
            let injected = if fresh {
                self.at.inject(Operation::Deliver, &delivery.message.subject)
            } else {
                None
            };
            match injected {
                Some(Effect::Fail | Effect::FailAfter | Effect::Vanish) => {
                    return Err(BusError::Gone(LOST.to_owned()));
                }
                Some(Effect::Delay(by)) => {
                    self.held.push((after(self.at.clock.now(), by), delivery));
                }
                Some(Effect::CrashBefore | Effect::CrashAfter) => self.at.crash().await,
                _ => {
                    let reply = FaultyReply {
                        at: self.at.clone(),
                        subject: delivery.message.subject.clone(),
                        inner: delivery.reply,
                    };
                    return Ok(Delivery { reply: Box::new(reply), ..delivery });
                }
            }
        }
    }

    fn backlog(&self) -> u64 {
        self.inner.backlog()
    }
}

struct FaultyReply {
    at: Site,
    subject: String,
    inner: Box<dyn Reply>,
}

#[async_trait]
impl Reply for FaultyReply {
    async fn ack(&self) -> Result<(), BusError> {
        self.at.bus()?;
        match self.at.inject(Operation::Ack, &self.subject) {
            Some(Effect::Fail) => Err(BusError::Unavailable(DOWN.to_owned())),
            Some(Effect::Vanish) => Err(BusError::Unavailable(LOST.to_owned())),
            Some(Effect::FailAfter) => {
                self.inner.ack().await?;
                Err(BusError::Unavailable(LOST.to_owned()))
            }
            Some(Effect::LoseAck) => Ok(()),
            Some(Effect::Redeliver) => self.inner.nak(Duration::ZERO).await,
            Some(Effect::Delay(by)) => {
                self.at.clock.sleep(by).await;
                self.inner.ack().await
            }
            Some(Effect::CrashBefore) => self.at.crash().await,
            Some(Effect::CrashAfter) => {
                // The outcome goes down with the instance.
                drop(self.inner.ack().await);
                self.at.crash().await
            }
            _ => self.inner.ack().await,
        }
    }

    async fn nak(&self, delay: Duration) -> Result<(), BusError> {
        self.ask(self.inner.nak(delay)).await
    }

    async fn in_progress(&self) -> Result<(), BusError> {
        self.ask(self.inner.in_progress()).await
    }
}

impl FaultyReply {
    /// Asks the bus for something else than an end of this delivery.
    async fn ask(&self, asked: impl Future<Output = Result<(), BusError>>) -> Result<(), BusError> {
        self.at.bus()?;
        match self.at.inject(Operation::Nak, &self.subject) {
            Some(Effect::Fail) => Err(BusError::Unavailable(DOWN.to_owned())),
            Some(Effect::CrashBefore) => self.at.crash().await,
            Some(Effect::CrashAfter) => {
                drop(asked.await);
                self.at.crash().await
            }
            _ => asked.await,
        }
    }
}
