"""The webhook door: one verified delivery is stored and acknowledged; everything else is told why not."""

from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import RequestDataTooBig
from django.db import transaction
from django.http import HttpRequest, HttpResponse, UnreadablePostError
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from crmsync import conf, jobs
from crmsync.flows import intake


@csrf_exempt
@login_not_required
@transaction.non_atomic_requests
@require_POST
def receive(request: HttpRequest) -> HttpResponse:
    """POST from HubSpot: 204 once stored; 401, 400, 413, 503 or 202 with one sentence that says why not."""
    receipt = _receive(request)
    if receipt.is_stored:
        jobs.ring()
    return HttpResponse(receipt.message, status=receipt.status, content_type="text/plain; charset=utf-8")


def _receive(request: HttpRequest) -> intake.Receipt:
    limit = conf.current().MAX_WEBHOOK_BYTES
    too_big = intake.Receipt(413, f"The body has more than {limit} bytes, more than HubSpot sends.")
    if _length(request) > limit:
        return too_big
    try:
        body = request.body
    except RequestDataTooBig:
        return too_big
    except UnreadablePostError:
        return intake.Receipt(400, "The body could not be read.")
    return intake.accept(request.method, public_url(request), request.headers, body)


def _length(request: HttpRequest) -> int:
    text = request.META.get("CONTENT_LENGTH") or "0"
    return int(text) if text.isdigit() else 0


def public_url(request: HttpRequest) -> str:
    """The full URL HubSpot called: behind a proxy only the settings know scheme and host."""
    base = conf.current().PUBLIC_URL.rstrip("/")
    return f"{base}{request.get_full_path()}" if base else request.build_absolute_uri()
