"""The product's own pages: find a person, look at them, change them. Open to all, for it is a demo on loopback."""

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.core.paginator import Paginator
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from project.demo.forms import PersonForm, SearchForm
from project.demo.models import Opportunity, Organisation, Person

PAGE = 25


def find_people(words: str, status: str) -> QuerySet[Person]:
    """People of whom every word is in a name, the e-mail address or the organisation."""
    found = Person.objects.select_related("organisation")
    for word in words.split():
        found = found.filter(
            Q(first_name__icontains=word)
            | Q(last_name__icontains=word)
            | Q(email__icontains=word)
            | Q(organisation__name__icontains=word)
        )
    return found.filter(status=status) if status else found


def count_records() -> dict[str, int]:
    return {
        "People": Person.objects.count(),
        "Customers": Person.objects.filter(status=Person.Status.CUSTOMER).count(),
        "Organisations": Organisation.objects.count(),
        "Open opportunities": Opportunity.objects.exclude(status__in=["won", "lost"]).count(),
    }


@login_not_required
@require_safe
def people(request: HttpRequest) -> HttpResponse:
    form = SearchForm(request.GET)
    wanted = form.cleaned_data if form.is_valid() else {}
    found = find_people(wanted.get("q", ""), wanted.get("status", ""))
    query = request.GET.copy()
    query.pop("page", None)
    context = {
        "form": form,
        "page": Paginator(found, PAGE).get_page(request.GET.get("page")),
        "query": query.urlencode(),
        "counts": count_records(),
    }
    return render(request, "demo/people.html", context)


@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
def person(request: HttpRequest, pk: int) -> HttpResponse:
    record = get_object_or_404(Person.objects.select_related("organisation"), pk=pk)
    form = PersonForm(request.POST or None, instance=record, label_suffix="")
    if form.is_valid():
        form.save()
        messages.success(request, f"{record} was saved.")
        return redirect("demo:person", pk=pk)
    context = {"form": form, "person": Person.objects.get(pk=pk), "opportunities": record.opportunities.all()}
    return render(request, "demo/person.html", context)
