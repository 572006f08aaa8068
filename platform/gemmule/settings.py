"""Django settings: one file, read from the environment, strict in production.

`GEMMULE_MODE=embedded` (the default) runs on SQLite and a Valkey of its own with
every secret made in the data directory; `production` refuses to start while
anything it needs is missing. Each variable is described in `.env.example`.
"""

from pathlib import Path
from typing import Any

import dj_database_url
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from gemmule.environment import (
    env_bool,
    env_choice,
    env_int,
    env_list,
    env_secret,
    env_str,
    secret_kept_in,
)
from gemmule.objects.address import s3_address

MODE = env_choice("GEMMULE_MODE", "embedded", choices=("embedded", "production"))
PRODUCTION = MODE == "production"
DEBUG = env_bool("GEMMULE_DEBUG", False)
if PRODUCTION and DEBUG:
    raise ImproperlyConfigured("GEMMULE_DEBUG must be off in production")

DATA_DIR = Path(env_str("GEMMULE_DATA_DIR", str(Path.cwd() / ".gemmule"))).resolve()
DATA_DIR.mkdir(mode=0o700, parents=True, exist_ok=True)

SECRET_KEY = (
    env_secret("GEMMULE_SECRET_KEY")
    if PRODUCTION
    else secret_kept_in(DATA_DIR / "keys" / "django.secret")
)
ALLOWED_HOSTS = env_list("GEMMULE_ALLOWED_HOSTS", ["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env_list("GEMMULE_TRUSTED_ORIGINS", [])
PUBLIC_URL = env_str("GEMMULE_PUBLIC_URL", "http://localhost:8000")

# --- the house -------------------------------------------------------------

INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.humanize",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django_cotton",
    "django_htmx",
    "csp",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "rest_framework",
    "knox",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    # Before the ledger: its `verify_ledger` does more than the one of that room.
    "gemmule.audit",
    "ledger",
    "consent",
    "gemmule.accounts",
    "gemmule.notices",
    "gemmule.catalog",
    "gemmule.access",
    "gemmule.releases",
    "gemmule.web",
    "gemmule.api",
    "gemmule.demo",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    # Before the comparison of the form's token, which reads the body.
    "gemmule.web.bodies.BodyLimitMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "gemmule.web.middleware.DomainErrorMiddleware",
]

ROOT_URLCONF = "gemmule.urls"
WSGI_APPLICATION = "gemmule.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        # Ours come first, so that they also override the pages of allauth.
        "DIRS": [Path(__file__).resolve().parent / "web" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "gemmule.web.context.frame",
            ],
        },
    }
]

# --- databases -------------------------------------------------------------

# SQLite: IMMEDIATE takes the write lock at BEGIN, so that read-then-write never
# fails midway (measured: 0 of 1,800 lost against 767 with the default), and FULL
# makes a commit survive a power cut.
_SQLITE_OPTIONS = {
    "transaction_mode": "IMMEDIATE",
    "timeout": 30,
    "init_command": (
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA secure_delete=ON;"
    ),
}


def _database(variable: str, filename: str) -> dict[str, Any]:
    url = env_str(variable, "")
    if url:
        return dict(dj_database_url.parse(url, conn_max_age=0))
    if PRODUCTION:
        raise ImproperlyConfigured(f"set {variable} to a PostgreSQL address")
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": DATA_DIR / filename,
        "OPTIONS": dict(_SQLITE_OPTIONS),
    }


DATABASES = {
    "default": _database("DATABASE_URL", "gemmule.sqlite3"),
    # The keys that open commitments live apart, so that they can be destroyed.
    "vault": _database("VAULT_DATABASE_URL", "vault.sqlite3"),
}
DATABASE_ROUTERS = ["ledger.routers.VaultRouter"]

# --- sign-in ---------------------------------------------------------------

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
    "django.contrib.auth.hashers.ScryptPasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_REDIRECT_URL = "/home/"
LOGIN_URL = "account_login"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = env_choice(
    "GEMMULE_EMAIL_VERIFICATION",
    "mandatory" if PRODUCTION else "none",
    choices=("mandatory", "optional", "none"),
)
ACCOUNT_LOGOUT_REDIRECT_URL = "/"
ACCOUNT_PREVENT_ENUMERATION = True
# Also where allauth asks by itself (gemmule.web.again): seconds since the answer.
ACCOUNT_REAUTHENTICATION_TIMEOUT = 300
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_FORMS = {
    "change_password": "gemmule.web.forms.signing_in.ChangePasswordForm",
    "reset_password": "gemmule.web.forms.signing_in.ResetPasswordForm",
    "reset_password_from_key": "gemmule.web.forms.signing_in.ResetPasswordKeyForm",
}
ACCOUNT_ADAPTER = "gemmule.accounts.adapter.AccountAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
# Whoever has a passkey may change the address: adding one asks for the passkey.
MFA_ALLOW_UNVERIFIED_EMAIL = True
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not PRODUCTION
MFA_TOTP_ISSUER = "Gemmule"
MFA_TOTP_TOLERANCE = 1  # A code typed as it changes still counts.

# --- sessions, cookies, headers --------------------------------------------

SESSION_ENGINE = "django.contrib.sessions.backends.db"
SESSION_SERIALIZER = "django.contrib.sessions.serializers.JSONSerializer"
SESSION_COOKIE_AGE = 12 * 60 * 60
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "gemmule.web.errors.csrf_failure"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
if PRODUCTION:
    SESSION_COOKIE_NAME = "__Host-session"
    CSRF_COOKIE_NAME = "__Host-csrf"
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True
    SECURE_SSL_REDIRECT = env_bool("GEMMULE_SSL_REDIRECT", True)
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_HSTS_SECONDS = 31_536_000
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "font-src": [SELF],
        "img-src": [SELF],
        "connect-src": [SELF],
        "manifest-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}

# --- language, time, files -------------------------------------------------

LANGUAGE_CODE = "en-gb"
TIME_ZONE = "UTC"
USE_I18N = True
USE_TZ = True
STATIC_URL = "/static/"
STATIC_ROOT = DATA_DIR / "static"
# Until collectstatic has run, WhiteNoise would warn that there is no such folder.
STATIC_ROOT.mkdir(exist_ok=True)
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedStaticFilesStorage"},
}
WHITENOISE_USE_FINDERS = not PRODUCTION
MEDIA_ROOT = DATA_DIR / "media"
FILE_UPLOAD_HANDLERS = ["django.core.files.uploadhandler.TemporaryFileUploadHandler"]
FILE_UPLOAD_TEMP_DIR = DATA_DIR / "uploads"
FILE_UPLOAD_TEMP_DIR.mkdir(mode=0o700, exist_ok=True)
FILE_UPLOAD_PERMISSIONS = 0o600
# What a page or the API takes in; addresses for files say more (gemmule.web.bodies).
BODY_MAX_BYTES = 4 * 2**20
EMAIL_BACKEND = env_str(
    "GEMMULE_EMAIL_BACKEND",
    "django.core.mail.backends.smtp.EmailBackend"
    if PRODUCTION
    else "django.core.mail.backends.filebased.EmailBackend",
)
EMAIL_FILE_PATH = DATA_DIR / "mail"
EMAIL_TIMEOUT = 10  # A mail server that hangs must not hold up a page.
DEFAULT_FROM_EMAIL = env_str("GEMMULE_FROM_EMAIL", "Gemmule <noreply@localhost>")

# Rate limits live in the web process (there is one, with many threads), so that
# neither sign-in nor withdrawal needs the broker.
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}

# --- ledger ----------------------------------------------------------------

LEDGER_ORIGIN = env_str("GEMMULE_LEDGER_ORIGIN", "gemmule.localhost/ledger")
LEDGER_KEY_FILE = Path(
    env_str("GEMMULE_LEDGER_KEY_FILE", str(DATA_DIR / "keys" / "ledger.key"))
)
SERVICE_KEY_FILE = Path(
    env_str("GEMMULE_SERVICE_KEY_FILE", str(DATA_DIR / "keys" / "service.key"))
)
MANIFEST_KEY_FILE = Path(
    env_str("GEMMULE_MANIFEST_KEY_FILE", str(DATA_DIR / "keys" / "manifest.key"))
)
LEDGER_CREATE_KEYS = not PRODUCTION
LEDGER_PUBLIC_DIR = DATA_DIR / "ledger" / "public"
# None: the log's own keys, and no witness.
_policy = env_str("GEMMULE_LEDGER_POLICY", "")
LEDGER_POLICY_FILE = Path(_policy) if _policy else None
# Empty: the notary signs in this process; else `unix:/path` of its socket.
LEDGER_NOTARY = env_str("GEMMULE_LEDGER_NOTARY", "")
# Mirrors of the log, which are asked how far it was signed.
LEDGER_MIRRORS = env_list("GEMMULE_LEDGER_MIRRORS", [])

# --- broker ----------------------------------------------------------------

REDIS_URL = env_str("REDIS_URL", "redis://127.0.0.1:6379/0")

# --- releases --------------------------------------------------------------

STORE_DIR = DATA_DIR / "store"
RELEASE_DIR = DATA_DIR / "releases"
RELEASE_MIN_DONORS = env_int("GEMMULE_RELEASE_MIN_DONORS", 20, minimum=1)
RELEASE_LEASE_SECONDS = env_int("GEMMULE_RELEASE_LEASE_SECONDS", 60, minimum=2)
# A release of at least so many genotypes is cut in so many parts.
RELEASE_SPLIT_GENOTYPES = env_int(
    "GEMMULE_RELEASE_SPLIT_GENOTYPES", 1_000_000_000, minimum=1
)
RELEASE_PARTS = env_int("GEMMULE_RELEASE_PARTS", 16, minimum=1)
# Of BGZF in releases: ISA-L's level 1, or 6 of zlib as bgzip has it.
RELEASE_BGZF_LEVEL = {"fast": 1, "small": 6}[
    env_choice("GEMMULE_RELEASE_COMPRESSION", "fast", choices=("fast", "small"))
]
UPLOAD_MAX_BYTES = env_int("GEMMULE_UPLOAD_MAX_BYTES", 20 * 2**30, minimum=1)

# --- storage ---------------------------------------------------------------

# None: stores and releases stay below the two folders above.
S3 = s3_address(is_production=PRODUCTION)
S3_CACHE_BYTES = env_int("GEMMULE_S3_CACHE_BYTES", 50 * 2**30, minimum=1)

# --- API -------------------------------------------------------------------

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "gemmule.accounts.authentication.TokenAuthentication"
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_PAGINATION_CLASS": "gemmule.api.pagination.CursorPagination",
    "EXCEPTION_HANDLER": "gemmule.api.problems.exception_handler",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Gemmule API",
    "DESCRIPTION": "Find datasets, request them, and download what donors allow.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    # Without a validator: it would send our addresses to another site.
    "SWAGGER_UI_SETTINGS": {"deepLinking": True, "validatorUrl": None},
    "SCHEMA_PATH_PREFIX": "/api/v1",
}
REST_KNOX = {
    "SECURE_HASH_ALGORITHM": "hashlib.sha512",
    "AUTO_REFRESH": False,
    "TOKEN_TTL": None,  # Every token is issued with an expiry of its own.
}

# --- logs ------------------------------------------------------------------

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": env_str("GEMMULE_LOG_LEVEL", "INFO")},
}
