"""The parts of an nginx configuration that every benchmark needs. Pure."""

NGINX_FORWARDING = """    proxy_http_version 1.1;
    proxy_set_header Connection "";
    proxy_set_header Host $http_host;
    proxy_set_header X-Request-ID $request_id;
    proxy_set_header X-Forwarded-For $remote_addr;
    proxy_set_header X-Forwarded-Proto $scheme;
    proxy_set_header X-Forwarded-Host $http_host;"""


# What an access log of ours says, as far as nginx knows it; written in blocks, as ours is.
_LOGGED = """    log_format told escape=json '{"time":"$time_iso8601","request_id":"$request_id",'
        '"client":"$remote_addr","method":"$request_method","path":"$uri","status":$status,'
        '"bytes":$body_bytes_sent,"target":"$proxy_host","connect":"$upstream_connect_time",'
        '"first_byte":"$upstream_header_time","total":$request_time}';
    access_log %s told buffer=64k flush=1s;"""
_UNLOGGED = "    access_log off;"


def nginx_main(
    directory: str, http: str, workers: int = 1, connections: int = 1024, access_log: str = ""
) -> str:
    """Return an nginx configuration that stays in the foreground, with `http` inside."""
    logged = _LOGGED % access_log if access_log else _UNLOGGED
    return f"""daemon off;
worker_processes {workers};
pid {directory}/nginx.pid;
error_log stderr error;
events {{ worker_connections {connections}; }}
http {{
{logged}
    keepalive_requests 1000000000;
    client_body_temp_path {directory}/body;
    proxy_temp_path {directory}/proxy;
    fastcgi_temp_path {directory}/fastcgi;
    uwsgi_temp_path {directory}/uwsgi;
    scgi_temp_path {directory}/scgi;
{http}
}}
"""


def nginx_upstream(name: str, port: int) -> str:
    """Return an upstream with one address, whose connections are kept."""
    return f"    upstream {name} {{ server 127.0.0.1:{port}; keepalive 64; keepalive_requests 1000000000; }}"
