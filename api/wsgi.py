"""The entry point of the web server: `gunicorn … api.wsgi:app`. Under the gevent worker the standard library
is already patched when this is imported."""

from api import create_app
from api.websockets import watch

app = create_app()
watch.begin(app)
