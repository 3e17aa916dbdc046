//! What a browser does over HTTP, as far as the server can tell.

use std::net::IpAddr;

use reqwest::header::{HeaderMap, HeaderValue, ORIGIN, RETRY_AFTER};
use reqwest::{Client, ClientBuilder, Method, RequestBuilder, Response};
use serde_json::{Value, json};

/// A browser with its own cookies, on a page of the server.
pub struct Browser {
    client: Client,
    url: String,
}

/// The status of an answer and its JSON, null when there is none.
pub type Answer = (u16, Value);

impl Browser {
    pub fn on(url: &str) -> Self {
        let origin = HeaderMap::from_iter([(ORIGIN, HeaderValue::from_str(url).unwrap())]);
        Self::with_headers(url, origin)
    }

    /// A program: no page, hence no `Origin`.
    pub fn program(url: &str) -> Self {
        Self::with_headers(url, HeaderMap::new())
    }

    /// The same on another machine, as far as the server can tell: 127.0.0.`n`.
    pub fn elsewhere(url: &str, n: u8) -> Self {
        let origin = HeaderMap::from_iter([(ORIGIN, HeaderValue::from_str(url).unwrap())]);
        Self::built(url, builder(origin).local_address(IpAddr::from([127, 0, 0, n])))
    }

    pub fn with_headers(url: &str, headers: HeaderMap) -> Self {
        Self::built(url, builder(headers))
    }

    fn built(url: &str, builder: ClientBuilder) -> Self {
        Self { client: builder.build().unwrap(), url: url.to_owned() }
    }

    /// A browser that is logged in under a new name.
    pub async fn named(url: &str, name: &str) -> Self {
        let browser = Self::on(url);
        let (status, body) = browser.log_in(name).await;
        assert_eq!(status, 200, "{body}");
        browser
    }

    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.url))
    }

    pub async fn log_in(&self, name: &str) -> Answer {
        self.post("/api/session", json!({ "name": name })).await
    }

    pub async fn get(&self, path: &str) -> Answer {
        answer(self.request(Method::GET, path)).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        answer(self.request(Method::POST, path).json(&body)).await
    }

    pub async fn put(&self, path: &str, body: Value) -> Answer {
        answer(self.request(Method::PUT, path).json(&body)).await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        answer(self.request(Method::DELETE, path)).await
    }

    /// The own id.
    pub async fn id(&self) -> String {
        self.get("/api/session").await.1["user"]["id"].as_str().unwrap().to_owned()
    }
}

fn builder(headers: HeaderMap) -> ClientBuilder {
    Client::builder().cookie_store(true).default_headers(headers).no_proxy().pool_max_idle_per_host(0)
}

/// Sends a request and checks what holds for every answer of the API.
pub async fn answer(request: RequestBuilder) -> Answer {
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    assert_eq!(response.headers()["x-content-type-options"], "nosniff");
    let retry_after = response.headers().contains_key(RETRY_AFTER);
    let body = body(response).await;
    if status >= 400 && body != Value::Null && body.get("ready").is_none() {
        assert!(body["code"].is_string() && body["message"].is_string(), "{body}");
        assert_eq!(body.get("retry_after_ms").is_some(), retry_after, "{body}");
    }
    (status, body)
}

async fn body(response: Response) -> Value {
    let text = response.text().await.unwrap();
    serde_json::from_str(&text).unwrap_or(Value::Null)
}

/// The code of an answer.
pub fn code(answer: &Answer) -> (u16, &str) {
    (answer.0, answer.1["code"].as_str().unwrap_or_default())
}
