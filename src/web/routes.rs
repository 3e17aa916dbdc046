use std::convert::Infallible;
use std::sync::Arc;

use hyper::Request;
use hyper::body::Incoming;
use hyper::upgrade::OnUpgrade;
use tower_service::Service;
use warp::filters::BoxedFilter;
use warp::http::header::{ALLOW, HeaderValue};
use warp::http::{HeaderMap, Method};
use warp::path::FullPath;
use warp::reply::{Reply, Response};
use warp::{Filter, Rejection};

use super::api_error::{self, ApiError};
use super::body::{self, Body};
use super::caller::Caller;
use super::gate::RequestInfo;
use super::{
    Context, conversations, error_page, health, push, session, sessions, static_files, upgrade, users,
};
use crate::metrics;
use crate::protocol::Code;

/// All routes but those of operators. Each answers 405 to other methods, and nothing
/// falls through from `/api` to the client's files.
pub fn service(
    context: Arc<Context>,
) -> impl Service<Request<Incoming>, Response = Response, Error = Infallible, Future: Send + 'static> + Clone
{
    let routes = api(context.clone())
        .or(health())
        .unify()
        .or(readiness(&context))
        .unify()
        .or(files())
        .unify()
        .recover(api_error::recover)
        .map(Reply::into_response)
        .boxed();
    warp::service(routes)
}

/// The routes for operators, on a listener of their own.
pub fn operators(
    context: Arc<Context>,
) -> impl Service<Request<Incoming>, Response = Response, Error = Infallible, Future: Send + 'static> + Clone
{
    let get = warp::get().or(warp::head()).unify();
    let readiness = warp::path!("readyz").and(get).and(with(&context)).then(health::readiness);
    let metrics = warp::path!("metrics")
        .and(get)
        .and(with(&context))
        .map(|context: Arc<Context>| answer(health::metrics(&context)));
    let nothing = warp::any().map(|| ApiError::not_found().into_response()).boxed();
    let routes = health()
        .or(readiness)
        .unify()
        .or(metrics)
        .unify()
        .or(nothing)
        .unify()
        .recover(api_error::recover)
        .map(Reply::into_response)
        .boxed();
    warp::service(routes)
}

fn api(context: Arc<Context>) -> BoxedFilter<(Response,)> {
    let api = warp::path("api");
    let session = api.and(session_routes(&context));
    let users = warp::path!("users")
        .and(warp::get())
        .and(with(&context))
        .and(caller())
        .and(query())
        .then(async |context, caller, query| answer(users::list(context, caller, query).await))
        .or(warp::path!("users").map(|| only("GET")))
        .unify();
    let socket = warp::path!("socket")
        .and(warp::get())
        .and(with(&context))
        .and(caller())
        .and(warp::ext::get::<RequestInfo>().map(|info: RequestInfo| info.permit))
        .and(warp::ext::optional::<OnUpgrade>())
        .then(async |context, caller, permit, on_upgrade| {
            answer(upgrade::upgrade(context, caller, permit, on_upgrade).await)
        })
        .or(warp::path!("socket").map(|| only("GET")))
        .unify();
    session
        .or(api.and(conversations(&context)))
        .unify()
        .or(api.and(users))
        .unify()
        .or(api.and(pushes(&context)))
        .unify()
        .or(api.and(socket))
        .unify()
        .or(api.map(|| ApiError::not_found().into_response()))
        .unify()
        .boxed()
}

fn session_routes(context: &Arc<Context>) -> BoxedFilter<(Response,)> {
    let asked = with(context).and(caller());
    let log_in = warp::path!("session")
        .and(warp::post())
        .and(asked.clone())
        .and(collected())
        .then(async |context, caller, body| answer(session::log_in(context, caller, body).await));
    let who_am_i = warp::path!("session")
        .and(warp::get())
        .and(asked.clone())
        .then(async |context, caller| answer(session::who_am_i(context, caller).await));
    let log_out = warp::path!("session")
        .and(warp::delete())
        .and(asked.clone())
        .then(async |context, caller| answer(session::log_out(context, caller).await));
    let set_password = warp::path!("session" / "password")
        .and(warp::put())
        .and(asked.clone())
        .and(collected())
        .then(async |context, caller, body| answer(session::set_password(context, caller, body).await));
    let set_visibility = warp::path!("session" / "visibility")
        .and(warp::put())
        .and(asked)
        .and(collected())
        .then(async |context, caller, body| answer(session::set_visibility(context, caller, body).await));
    let session = log_in.or(who_am_i).unify().or(log_out).unify();
    let session = session.or(warp::path!("session").map(|| only("GET, POST, DELETE"))).unify();
    let set_password = set_password.or(warp::path!("session" / "password").map(|| only("PUT"))).unify();
    let set_visibility = set_visibility.or(warp::path!("session" / "visibility").map(|| only("PUT"))).unify();
    session.or(set_password).unify().or(set_visibility).unify().or(open_sessions(context)).unify().boxed()
}

/// The routes to all of the caller's sessions.
fn open_sessions(context: &Arc<Context>) -> BoxedFilter<(Response,)> {
    let asked = with(context).and(caller());
    let list = warp::path!("sessions")
        .and(warp::get())
        .and(asked.clone())
        .then(async |context, caller| answer(sessions::list(context, caller).await));
    let end_all = warp::path!("sessions")
        .and(warp::delete())
        .and(asked.clone())
        .then(async |context, caller| answer(sessions::end_all(context, caller).await));
    let end = warp::path!("sessions" / String)
        .and(warp::delete())
        .and(asked)
        .then(async |id, context, caller| answer(sessions::end(context, caller, id).await));
    let all = list.or(end_all).unify().or(warp::path!("sessions").map(|| only("GET, DELETE"))).unify();
    let one = end.or(warp::path!("sessions" / String).map(|_| only("DELETE"))).unify();
    all.or(one).unify().boxed()
}

fn conversations(context: &Arc<Context>) -> BoxedFilter<(Response,)> {
    let asked = with(context).and(caller());
    let open = warp::path!("conversations")
        .and(warp::post())
        .and(asked.clone())
        .and(collected())
        .then(async |context, caller, body| answer(conversations::open(context, caller, body).await));
    let list = warp::path!("conversations")
        .and(warp::get())
        .and(asked.clone())
        .and(query())
        .then(async |context, caller, query| answer(conversations::list(context, caller, query).await));
    let read = warp::path!("conversations" / String)
        .and(warp::get())
        .and(asked.clone())
        .then(async |id, context, caller| answer(conversations::read(context, caller, id).await));
    let history =
        warp::path!("conversations" / String / "messages").and(warp::get()).and(asked).and(query()).then(
            async |id, context, caller, query| {
                answer(conversations::history(context, caller, id, query).await)
            },
        );
    let all = open.or(list).unify().or(warp::path!("conversations").map(|| only("GET, POST"))).unify();
    let read = read.or(warp::path!("conversations" / String).map(|_| only("GET"))).unify();
    let messages = warp::path!("conversations" / String / "messages").map(|_| only("GET"));
    all.or(read).unify().or(history).unify().or(messages).unify().boxed()
}

fn pushes(context: &Arc<Context>) -> BoxedFilter<(Response,)> {
    let asked = with(context).and(caller());
    let key = warp::path!("push")
        .and(warp::get())
        .and(asked.clone())
        .then(async |context, caller| answer(push::key(context, caller).await));
    let subscribe = warp::path!("push" / "subscription")
        .and(warp::put())
        .and(asked.clone())
        .and(collected())
        .then(async |context, caller, body| answer(push::subscribe(context, caller, body).await));
    let unsubscribe = warp::path!("push" / "subscription")
        .and(warp::delete())
        .and(asked)
        .then(async |context, caller| answer(push::unsubscribe(context, caller).await));
    let key = key.or(warp::path!("push").map(|| only("GET"))).unify();
    let subscription = subscribe.or(unsubscribe).unify();
    let other = warp::path!("push" / "subscription").map(|| only("PUT, DELETE"));
    key.or(subscription).unify().or(other).unify().boxed()
}

fn health() -> BoxedFilter<(Response,)> {
    let get = warp::get().or(warp::head()).unify();
    warp::path!("healthz").and(get).map(health::health).boxed()
}

fn readiness(context: &Arc<Context>) -> BoxedFilter<(Response,)> {
    let get = warp::get().or(warp::head()).unify();
    warp::path!("readyz").and(get).and(with(context)).then(health::ready).boxed()
}

fn files() -> BoxedFilter<(Response,)> {
    warp::method()
        .and(warp::path::full())
        .and(warp::header::headers_cloned())
        .map(|method, path: FullPath, headers: HeaderMap| match method {
            Method::GET | Method::HEAD => match static_files::file(path.as_str(), &headers) {
                Some(file) => file,
                None if error_page::accepts_html(&headers) => {
                    metrics::refused(Code::NotFound);
                    error_page::not_found(&headers)
                }
                None => ApiError::not_found().into_response(),
            },
            _ => only("GET, HEAD"),
        })
        .boxed()
}

/// The answer to any method but the allowed ones.
fn only(allowed: &'static str) -> Response {
    ApiError::new(Code::MethodNotAllowed, "This method is not allowed here.")
        .with_header(ALLOW, HeaderValue::from_static(allowed))
        .into_response()
}

fn answer(outcome: Result<Response, ApiError>) -> Response {
    outcome.unwrap_or_else(ApiError::into_response)
}

fn with(
    context: &Arc<Context>,
) -> impl Filter<Extract = (Arc<Context>,), Error = Infallible> + Clone + use<> {
    let context = context.clone();
    warp::any().map(move || context.clone())
}

fn caller() -> impl Filter<Extract = (Caller,), Error = Rejection> + Copy {
    warp::header::headers_cloned()
        .and(warp::ext::get::<RequestInfo>())
        .map(|headers, RequestInfo { peer, cookie, .. }| Caller { headers, address: peer.address, cookie })
}

fn query() -> impl Filter<Extract = (String,), Error = Infallible> + Copy {
    warp::query::raw().or(warp::any().map(String::new)).unify()
}

fn collected() -> impl Filter<Extract = (Body,), Error = Rejection> + Copy {
    warp::body::stream().then(body::collect)
}
