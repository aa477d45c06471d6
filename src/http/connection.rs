//! One connection from its accept to its end, within its limits.
//!
//! Refuses to know what is answered (`routes`) and who else is connected (`crowd`).

use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use hyper::body::{Body as _, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::sync::watch;

use super::body::Answer;
use super::limits::Limits;
use super::line::Line;
use super::live::Visitor;
use super::operations::Site;
use super::pulse::Pulse;
use super::{admission, handshake, routes};

/// The least that hyper takes as the size of its buffer.
const SMALLEST_BUFFER: usize = 8 * 1024;

pub(super) struct Connection {
    pulse: Arc<Pulse>,
    site: Site,
    limits: Limits,
    closing: watch::Receiver<bool>,
}

impl Connection {
    pub(super) fn new(site: Site, limits: Limits, closing: watch::Receiver<bool>) -> Self {
        Self { pulse: Arc::new(Pulse::new()), site, limits, closing }
    }

    pub(super) fn pulse(&self) -> Arc<Pulse> {
        Arc::clone(&self.pulse)
    }

    /// Answers request after request until the client leaves, breaks a limit or the server closes.
    pub(super) async fn run(self, stream: TcpStream) {
        let client = stream.peer_addr().ok().map(|address| address.ip());
        let visitor = Visitor::at(client);
        let line = Line::new(stream, self.pulse());
        let mut opening = pin!(async {
            let config = admission::current(&self.site.web).await;
            let log = |refusal| self.site.refusals.log(&refusal, client);
            handshake::open(line, &config, self.pulse(), log).await
        });
        let wire = match self.in_time(|cx, _| opening.as_mut().poll(cx)).await {
            Some(Ok(wire)) => wire,
            Some(Err(error)) => return tracing::debug!(%error, "connection ended before a request"),
            None => return,
        };
        let answer = service_fn(|request| self.answer(request, visitor));
        let mut http = pin!(
            http1::Builder::new()
                .header_read_timeout(None)
                .half_close(false)
                .max_buf_size(self.limits.header_bytes.max(SMALLEST_BUFFER))
                .max_headers(self.limits.headers)
                .serve_connection(TokioIo::new(wire), answer)
        );
        let end = self.in_time(|cx, closes| {
            if closes {
                http.as_mut().graceful_shutdown();
            }
            http.as_mut().poll(cx)
        });
        if let Some(Err(error)) = end.await {
            tracing::debug!(%error, "connection ended");
        }
    }

    /// Goes on with `step` until it is ready, the connection's time is over, or the server closes and nothing is being
    /// answered; the step is told once that the server closes.
    async fn in_time<T>(&self, mut step: impl FnMut(&mut Context<'_>, bool) -> Poll<T>) -> Option<T> {
        let mut alarm = pin!(tokio::time::sleep_until(self.pulse.deadline(&self.limits)));
        let mut closing = self.closing.clone();
        let mut closing = pin!(closing.wait_for(|closing| *closing));
        let mut closed = false;
        poll_fn(|cx| {
            let just_now = !closed && closing.as_mut().poll(cx).is_ready();
            closed |= just_now;
            if let Poll::Ready(end) = step(cx, just_now) {
                return Poll::Ready(Some(end));
            }
            if closed && self.pulse.waiting_since().is_some() {
                return Poll::Ready(None);
            }
            // Everything that moves the deadline happens in the poll above, so this is the one place to look.
            let deadline = self.pulse.deadline(&self.limits);
            if alarm.deadline() != deadline {
                alarm.as_mut().reset(deadline);
            }
            alarm.as_mut().poll(cx).map(|()| {
                tracing::debug!("connection took too long");
                None
            })
        })
        .await
    }

    fn answer(
        &self,
        request: Request<Incoming>,
        visitor: Visitor,
    ) -> impl Future<Output = Result<Response<Answer>, Infallible>> + Send + use<> {
        let answering = self.pulse.answering();
        let site = self.site.clone();
        let target = self.limits.target;
        async move {
            let (head, body) = request.into_parts();
            let has_body = !body.is_end_stream();
            // Dropped unread: nothing here wants one.
            drop(body);
            let config = admission::current(&site.web).await;
            let refusal = admission::refusal(&site.web, &config, &head.headers).await;
            if refusal.is_none() && !config.users.is_empty() {
                answering.trust();
            }
            let mut response = if let Some(refusal) = refusal {
                refusal
            } else {
                let response = routes::answer(&site, &head, visitor, target).await;
                admission::with_headers(response, &config)
            };
            if has_body {
                routes::close_after(&mut response);
            }
            Ok(response.map(|payload| Answer::new(payload, answering)))
        }
    }
}
