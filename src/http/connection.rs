//! One connection from its accept to its end, within its limits.

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

use super::activity::Activity;
use super::app_state::AppState;
use super::body::Answer;
use super::limits::Limits;
use super::observed_stream::ObservedStream;
use super::reply::close_after;
use super::{admission, handshake, routes, sockets};

/// The smallest buffer that hyper accepts, in bytes.
const SMALLEST_BUFFER: usize = 8 * 1024;

pub(super) struct Connection {
    activity: Arc<Activity>,
    app: AppState,
    limits: Limits,
    closing: watch::Receiver<bool>,
}

impl Connection {
    pub(super) fn new(app: AppState, limits: Limits, closing: watch::Receiver<bool>) -> Self {
        Self { activity: Arc::new(Activity::new()), app, limits, closing }
    }

    pub(super) fn activity(&self) -> Arc<Activity> {
        Arc::clone(&self.activity)
    }

    /// Answers request after request until the client leaves, breaks a limit or the server closes.
    pub(super) async fn run(self, stream: TcpStream) {
        let address = stream.peer_addr().ok().map(|address| address.ip());
        let shows_sockets = sockets::are_shown_to(address, &self.app.options);
        let line = ObservedStream::new(stream, self.activity());
        let mut opening = pin!(async {
            let config = admission::current(&self.app.web).await;
            let log = |refusal| self.app.refusals.log(&refusal, address);
            handshake::open(line, &config, self.activity(), log).await
        });
        let wire = match self.in_time(|cx, _| opening.as_mut().poll(cx)).await {
            Some(Ok(wire)) => wire,
            Some(Err(error)) => return tracing::debug!(%error, "connection ended before a request"),
            None => return,
        };
        let answer = service_fn(|request| self.answer(request, shows_sockets));
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

    /// Polls `step` until it is ready, the connection's deadline has passed, or the server closes and no answer is in
    /// progress. The argument of `step` is true once, when the server closes.
    async fn in_time<T>(&self, mut step: impl FnMut(&mut Context<'_>, bool) -> Poll<T>) -> Option<T> {
        let mut alarm = pin!(tokio::time::sleep_until(self.activity.deadline(&self.limits)));
        let mut closing = self.closing.clone();
        let mut closing = pin!(closing.wait_for(|closing| *closing));
        let mut closed = false;
        poll_fn(|cx| {
            let just_now = !closed && closing.as_mut().poll(cx).is_ready();
            closed |= just_now;
            if let Poll::Ready(end) = step(cx, just_now) {
                return Poll::Ready(Some(end));
            }
            if closed && self.activity.waiting_since().is_some() {
                return Poll::Ready(None);
            }
            // Only the poll above moves the deadline.
            let deadline = self.activity.deadline(&self.limits);
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
        shows_sockets: bool,
    ) -> impl Future<Output = Result<Response<Answer>, Infallible>> + Send + use<> {
        let answering = self.activity.answering();
        let app = self.app.clone();
        let target = self.limits.target;
        async move {
            let (head, body) = request.into_parts();
            let has_body = !body.is_end_stream();
            // Dropped unread: no endpoint reads a body.
            drop(body);
            let config = admission::current(&app.web).await;
            let refusal = admission::refusal(&app.web, &config, &head.headers).await;
            if refusal.is_none() && !config.users.is_empty() {
                answering.trust();
            }
            let mut response = if let Some(refusal) = refusal {
                refusal
            } else {
                let response = routes::answer(&app, &head, shows_sockets, target).await;
                admission::with_headers(response, &config)
            };
            if has_body {
                close_after(&mut response);
            }
            Ok(response.map(|payload| Answer::new(payload, answering)))
        }
    }
}
