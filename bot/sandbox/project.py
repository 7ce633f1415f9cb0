"""Writes the project folder of the deployment: the compose file, its .env and nginx.conf, as an operator would find them."""

from __future__ import annotations

from pathlib import Path

from bot.sandbox.binaries import Binaries
from bot.sandbox.layout import PROJECT, Identity, Layout, private_write
from bot.sandbox.secrets import GOOGLE_CLIENT_SECRET

COMPOSE = f"""\
name: {PROJECT}

services:
  mongodb:
    image: mongo:6.0.5
    container_name: vcc-mongodb
    restart: unless-stopped
    environment:
      MONGO_INITDB_ROOT_USERNAME: ${{MONGO_ROOT_USER:-admin}}
      MONGO_INITDB_ROOT_PASSWORD: ${{MONGO_ROOT_PASSWORD:-password}}
      MONGO_INITDB_DATABASE: ${{MONGO_DB:-vcc-manager}}
    ports:
      - "27017:27017"
    volumes:
      - mongodb_data:/data/db
    networks:
      - vcc-network

  redis:
    image: redis:6.2-alpine
    container_name: vcc-redis
    restart: unless-stopped
    command: redis-server --appendonly yes --requirepass ${{REDIS_PASSWORD:-redispassword}}
    ports:
      - "6379:6379"
    volumes:
      - redis_data:/data
    networks:
      - vcc-network

  backend:
    build:
      context: .
      dockerfile: Dockerfile.backend
    container_name: vcc-backend
    restart: unless-stopped
    env_file: .env
    environment:
      NODE_ENV: production
      PORT: 3000
      MONGODB_URI: mongodb://${{MONGO_ROOT_USER:-admin}}:${{MONGO_ROOT_PASSWORD:-password}}@mongodb:27017/vcc-manager?authSource=admin
      REDIS_URL: redis://:${{REDIS_PASSWORD:-redispassword}}@redis:6379
      UPLOAD_PATH: /app/uploads
    ports:
      - "3000:3000"
    volumes:
      - uploads_data:/app/uploads
    depends_on:
      - mongodb
      - redis
    healthcheck:
      test: ["CMD-SHELL", "wget -qO- http://localhost:3000/health || exit 1"]
      interval: 2s
      timeout: 2s
      retries: 3
      start_period: 15s
    networks:
      - vcc-network

  frontend:
    build:
      context: .
      dockerfile: Dockerfile.frontend
    container_name: vcc-frontend
    restart: unless-stopped
    ports:
      - "80:80"
    depends_on:
      - backend
    networks:
      - vcc-network

volumes:
  mongodb_data:
  redis_data:
  uploads_data:

networks:
  vcc-network:
    driver: bridge
"""

NGINX = """\
server {
    listen 80;
    server_name localhost;
    root /usr/share/nginx/html;
    client_max_body_size 20m;

    location / {
        try_files $uri $uri/ /index.html;
    }

    location /api/ {
        proxy_pass http://backend:3000;
        proxy_set_header Host $host;
        proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
        proxy_set_header X-Forwarded-Proto $scheme;
    }

    location /uploads/ {
        proxy_pass http://backend:3000;
        expires 1y;
        add_header Cache-Control "public, immutable";
    }
}
"""


def write_project(layout: Layout, identity: Identity) -> None:
    """Written once; what an operator changed afterwards stays."""
    layout.project.mkdir(parents=True, exist_ok=True)
    secrets = identity.secrets
    environment = "\n".join(
        (
            "MONGO_ROOT_USER=admin",
            f"MONGO_ROOT_PASSWORD={secrets.mongo_password}",
            f"MONGO_DB={PROJECT}",
            f"REDIS_PASSWORD={secrets.redis_password}",
            f"JWT_SECRET={secrets.jwt_secret}",
            "JWT_EXPIRES_IN=7d",
            f"SESSION_SECRET={secrets.session_secret}",
            "GOOGLE_CLIENT_ID=sandbox.apps.googleusercontent.com",
            f"GOOGLE_CLIENT_SECRET={GOOGLE_CLIENT_SECRET}",
            "ADMIN_EMAILS=admin@vcc.example",
            "MAX_FILE_SIZE=10485760",
            f"FRONTEND_URL=http://127.0.0.1:{identity.ports['frontend']}",
            "",
        )
    )
    for name, text in (("docker-compose.yml", COMPOSE), ("nginx.conf", NGINX), (".env", environment)):
        path = layout.project / name
        if not path.exists():
            private_write(path, text)


def write_tools(layout: Layout, identity: Identity, binaries: Binaries) -> None:
    """What the images bring along: in the redis container ``redis-cli`` finds its server without being told the port."""
    for service in identity.ports:
        layout.tools(service).mkdir(parents=True, exist_ok=True)
    if binaries.redis_cli is None:
        return
    script = layout.tools("redis") / "redis-cli"
    script.write_text(f'#!/bin/sh\nexec {_quoted(binaries.redis_cli)} -p {identity.ports["redis"]} "$@"\n', encoding="utf-8")
    script.chmod(0o755)


def _quoted(path: Path) -> str:
    inside = str(path).replace("'", "'\\''")
    return f"'{inside}'"
