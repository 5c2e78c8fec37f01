"""A callback page in Django, in one file: verifies the ticket, starts a session, and goes on to `next`.

CARILLON_URL=https://messages.example.com APP_ID=leave APP_SECRET=... OWN_HOSTS=leave.example.com \
        DJANGO_SECRET_KEY=... python django_callback.py runserver 8080
"""

import os
import sys

from django.conf import settings
from django.core.management import execute_from_command_line
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path, re_path
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from carillon_client import AppClient, NotFoundError, TemporaryError, choose_target

OWN_HOSTS = os.environ["OWN_HOSTS"].split(",")

settings.configure(
    SECRET_KEY=os.environ["DJANGO_SECRET_KEY"],
    ALLOWED_HOSTS=OWN_HOSTS,
    ROOT_URLCONF=__name__,
    MIDDLEWARE=[
        # It sets Referrer-Policy: the ticket is in the address, and other sites are not to see it.
        "django.middleware.security.SecurityMiddleware",
        "django.contrib.sessions.middleware.SessionMiddleware",
    ],
    # In production any backend of yours; this one needs no database.
    SESSION_ENGINE="django.contrib.sessions.backends.signed_cookies",
    SESSION_COOKIE_SECURE=True,
    SESSION_COOKIE_HTTPONLY=True,
)

# One client for the life of the process: threads may share it, and it keeps its connections open.
client = AppClient(os.environ["CARILLON_URL"], os.environ["APP_ID"], os.environ["APP_SECRET"])


@require_GET
@never_cache
def callback(request: HttpRequest) -> HttpResponse:
    """Where Carillon sends people: `?ticket=...&next=...`."""
    try:
        person = client.verify_ticket(request.GET.get("ticket", ""))
    except NotFoundError:
        return HttpResponse("Please press the button again.", status=403)
    except TemporaryError:
        return HttpResponse("Please try again in a minute.", status=503)
    if person.app_user_id is None:
        return HttpResponse("You have no account here.", status=403)
    request.session.flush()  # what somebody else did in this browser is not theirs
    request.session["account"] = person.app_user_id
    target = choose_target(request.GET.get("next"), hosts=OWN_HOSTS, otherwise="/")
    return HttpResponseRedirect(target)


def home(request: HttpRequest) -> HttpResponse:
    """Any page of the app: it knows the person by the session."""
    account = request.session.get("account")
    if account is None:
        return HttpResponse("Not signed on.", status=401)
    return HttpResponse(f"Signed on as {account}.")


urlpatterns = [path("callback", callback), re_path("^.*$", home)]

if __name__ == "__main__":
    execute_from_command_line(sys.argv)
