use super::*;
use crate::model::Engine::{Haproxy, Nginx};

/// Every secret is spelled so that `S3CR` stands in it: engine, line, what is shown.
const SECRETS: &str = r#"
haproxy |     user bob password $6$S3CRet$hash groups g1 =>     user bob password *** groups g1
haproxy | user bob insecure-password S3CRet => user bob insecure-password ***
haproxy |   user bob insecure-password "S3CR et" # x =>   user bob insecure-password *** # x
haproxy | stats auth admin:S3CRet => stats auth ***
haproxy | stats auth "admin:S3CR et => stats auth ***
haproxy | tcp-check send AUTH\ S3CRet\r\n => tcp-check send AUTH\***
haproxy | tcp-check send "AUTH S3CRet\r\n" => tcp-check send "AUTH ***
haproxy | http-request set-header Authorization "Basic S3CRet" if x => http-request set-header Authorization *** if x
haproxy | http-request add-header X-Api-Key S3CR\ et unless { path / } => http-request add-header X-Api-Key *** unless { path / }
haproxy | http-check send hdr Authorization "Basic S3CR=" body x => http-check send hdr Authorization *** body x
haproxy | option httpchk GET /h HTTP/1.1\r\nAuthorization:\ Basic\ S3CRet=\r\nHost:\ x => option httpchk GET /h HTTP/1.1\r\nAuthorization:\ ***\r\nHost:\ x
haproxy | acl ok req.hdr(Authorization) -m str "Bearer S3CRet" => acl ok req.hdr(Authorization) -m str ***
haproxy | http-request deny unless { url_param(token) S3CRet } => http-request deny unless { url_param(token) *** }
haproxy | setenv DB_PASSWORD S3CRet => setenv DB_PASSWORD ***
haproxy | http-request set-var(txn.token) str(S3CRet) => http-request set-var(txn.token) ***
haproxy | dynamic-cookie-key S3CRet => dynamic-cookie-key ***
haproxy | acl ok var(txn.x),secure_memcmp(txn.y,S3CRet) -m bool => acl ok var(txn.x),secure_memcmp(txn.y,***) -m bool
haproxy | http-request set-var(txn.x) req.hdr(y),hmac(sha256,S3CRet) => http-request set-var(txn.x) req.hdr(y),hmac(sha256,***)
nginx | proxy_set_header Authorization "Basic S3CRet"; => proxy_set_header Authorization ***;
nginx | proxy_set_header X-Api-Key S3CRet; => proxy_set_header X-Api-Key ***;
nginx | proxy_set_header Cookie session=S3CRet; # c => proxy_set_header Cookie ***; # c
nginx | add_header Set-Cookie "id=S3CRet; HttpOnly"; => add_header Set-Cookie ***;
nginx | proxy_set_header Authorization "Basic S3CRet => proxy_set_header Authorization ***
nginx | auth_basic "S3CRet realm"; => auth_basic ***;
nginx | set $api_key 'S3CRet'; => set $api_key ***;
nginx | if ($arg_token != "S3CRet") { return 403; } => if ($arg_token != ***) { return 403; }
nginx | secure_link_md5 "$secure_link_expires$uri S3CRet"; => secure_link_md5 ***;
nginx | proxy_pass http://user:S3CRet@10.0.0.1/; => proxy_pass http://***@10.0.0.1/;
nginx | proxy_pass http://a/x?token=S3CRet&b=1; => proxy_pass http://a/x?token=***&b=1;
nginx | return 302 https://a/cb?key=S3CRet; => return 302 https://a/cb?key=***;
nginx | fastcgi_param DB_PASSWORD S3CRet; => fastcgi_param DB_PASSWORD ***;
nginx | auth_http_header X-Auth-Key "S3CRet"; => auth_http_header X-Auth-Key ***;
nginx | env API_TOKEN=S3CRet; => env API_TOKEN=***;
nginx | # password: S3CRet => # password: ***
nginx | local c = { password = "S3CRet" } => local c = { password = *** }
nginx | js_var $x 'Bearer S3CRet99'; => js_var $x 'Bearer ***';
"#;

const NO_SECRETS: &str = r#"
haproxy | server token 10.0.0.1:80 cookie s1 check weight 100
haproxy | http-request set-header Authorization %[req.hdr(X-Auth)]
haproxy | http-request set-header X-Token "${TOKEN}"
haproxy | acl has_token req.hdr(authorization) -m found
haproxy | use_backend secret if is_secret
haproxy | cookie SRV insert indirect nocache
haproxy | option httpchk GET /health
haproxy | bind :443 ssl crt /etc/ssl/private/key.pem
haproxy | http-request auth realm Private unless { http_auth(users) }
nginx | proxy_set_header Authorization $http_authorization;
nginx | proxy_set_header Authorization "Bearer $token";
nginx | proxy_set_header Cookie "";
nginx | server_tokens off;
nginx | ssl_password_file /etc/nginx/pass.txt;
nginx | auth_basic off;
nginx | auth_basic_user_file /etc/nginx/htpasswd;
nginx | proxy_cache_path /x keys_zone=token:10m;
nginx | proxy_pass http://auth:8080/a@b;
nginx | server 10.0.0.1:8080 weight=100 max_fails=3;
nginx | pass 127.0.0.1:8091;
nginx | proxy_pass http://127.0.0.1:8081/$1$name.html;
nginx | log_format basic 'requestCounter:$requestCounter';
nginx | add_header 'X-Proxy' "NGINX Plus Proxy_Pass" always;
nginx | auth_jwt "API";
haproxy | http-request set-var(txn.bearer) http_auth_bearer
haproxy | http-request deny unless { var(txn.jwt_alg) -m beg "ES" }
haproxy | http-request set-var(txn.v) var(txn.b),jwt_verify(txn.alg,"/etc/ssl/a.pem")
nginx | location /token { proxy_pass http://tokens; }
"#;

fn rows(table: &'static str) -> impl Iterator<Item = (Engine, &'static str)> {
    table
        .lines()
        .filter_map(|row| row.split_once(" | "))
        .map(|(engine, row)| match engine {
            "haproxy" => (Haproxy, row),
            _ => (Nginx, row),
        })
}

#[test]
fn secrets_are_masked() {
    for (engine, row) in rows(SECRETS) {
        let (line, expected) = row.split_once(" => ").unwrap();
        assert_eq!(mask_text(line, engine), expected, "in `{line}`");
    }
}

#[test]
fn what_is_no_secret_stays_readable() {
    for (engine, line) in rows(NO_SECRETS) {
        assert_eq!(mask_text(line, engine), line);
    }
}

#[test]
fn messages_are_masked_inside_backticks_and_for_known_secrets() {
    let message = "word `S3CRet` behind `stats auth admin:x` is the password of S3CRet";
    let line = b"user x password 'S3CRet'";
    let known = known_secrets(line, &secrets(line, Haproxy));
    assert_eq!(
        mask_message(message, &known, Haproxy),
        "word `***` behind `stats auth ***` is the password of ***"
    );
}
