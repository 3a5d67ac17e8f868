"""Clients, their contacts, tasks and quotes, with a status table and categories. Nothing here is made for a sync."""

import secrets
import uuid

from django.conf import settings
from django.db import models


def make_number() -> str:
    """A client's number where nobody gives one, as for those that come in from elsewhere."""
    return f"K-{secrets.token_hex(4)}"


class Status(models.Model):
    """What staff call the standing of a client: a table, so that they can add their own."""

    name = models.CharField(max_length=60, unique=True)
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["position", "name"]
        verbose_name_plural = "statuses"

    def __str__(self) -> str:
        return self.name


class Category(models.Model):
    name = models.CharField(max_length=60, unique=True)

    class Meta:
        ordering = ["name"]
        verbose_name_plural = "categories"

    def __str__(self) -> str:
        return self.name


class Client(models.Model):
    class Kind(models.TextChoices):
        COMMERCIAL = "commercial", "Commercial"
        RESIDENTIAL = "residential", "Residential"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    number = models.CharField(max_length=20, unique=True, default=make_number)
    kind = models.CharField(max_length=12, choices=Kind, default=Kind.COMMERCIAL, db_index=True)
    name = models.CharField(max_length=200)
    email = models.EmailField(blank=True, db_index=True)
    phone = models.CharField(max_length=50, blank=True)
    domain = models.CharField(max_length=200, blank=True, db_index=True)
    street = models.CharField(max_length=200, blank=True)
    postcode = models.CharField(max_length=20, blank=True)
    city = models.CharField(max_length=100, blank=True)
    status = models.ForeignKey(Status, on_delete=models.SET_NULL, null=True, blank=True, related_name="clients")
    categories = models.ManyToManyField(Category, blank=True, related_name="clients")
    parent = models.ForeignKey("self", on_delete=models.SET_NULL, null=True, blank=True, related_name="branches")
    last_visit_at = models.DateTimeField(null=True, blank=True)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="clients"
    )
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["name", "number"]

    def __str__(self) -> str:
        return self.name


class Contact(models.Model):
    class Qualification(models.TextChoices):
        OPEN = "open", "Open"
        QUALIFIED = "qualified", "Qualified"
        REFUSED = "refused", "Refused"

    class Lifecycle(models.TextChoices):
        LEAD = "lead", "Lead"
        MARKETING = "mql", "Marketing qualified"
        SALES = "sql", "Sales qualified"
        CUSTOMER = "customer", "Customer"

    first_name = models.CharField(max_length=100, blank=True)
    last_name = models.CharField(max_length=100, blank=True)
    email = models.EmailField(unique=True)
    phone = models.CharField(max_length=50, blank=True)
    mobile = models.CharField(max_length=50, blank=True)
    client = models.ForeignKey(Client, on_delete=models.SET_NULL, null=True, blank=True, related_name="contacts")
    qualification = models.CharField(max_length=12, choices=Qualification, default=Qualification.OPEN)
    lifecycle = models.CharField(max_length=12, choices=Lifecycle, blank=True)
    industry = models.CharField(max_length=100, blank=True, help_text="The industry of the contact's company.")
    signed_up_on = models.DateField(null=True, blank=True)
    sign_ins = models.PositiveIntegerField(default=0)
    last_seen_at = models.DateTimeField(null=True, blank=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["last_name", "first_name", "pk"]

    def __str__(self) -> str:
        return self.full_name or self.email

    @property
    def full_name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()


class Task(models.Model):
    class Kind(models.TextChoices):
        QUOTE = "quote", "Quote"
        JOB = "job", "Job"
        SERVICE = "service", "Service"

    class Status(models.TextChoices):
        PENDING = "pending", "Pending"
        APPROVED = "approved", "Approved"
        COMPLETED = "completed", "Completed"
        INVOICED = "invoiced", "Completed and invoiced"
        REFUSED = "refused", "Refused"

    client = models.ForeignKey(Client, on_delete=models.CASCADE, related_name="tasks")
    contact = models.ForeignKey(Contact, on_delete=models.SET_NULL, null=True, blank=True, related_name="tasks")
    title = models.CharField(max_length=200)
    kind = models.CharField(max_length=12, choices=Kind, default=Kind.JOB)
    status = models.CharField(max_length=12, choices=Status, default=Status.PENDING, db_index=True)
    value = models.DecimalField(max_digits=12, decimal_places=2, null=True, blank=True)
    completed_on = models.DateField(null=True, blank=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return self.title


class TaskLine(models.Model):
    task = models.ForeignKey(Task, on_delete=models.CASCADE, related_name="lines")
    done = models.CharField(max_length=200)
    amount = models.DecimalField(max_digits=12, decimal_places=2, default=0)

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return self.done


class Quote(models.Model):
    class Status(models.TextChoices):
        QUOTED = "quoted", "Quoted"
        APPROVED = "approved", "Approved"
        LOST = "lost", "Lost"

    client = models.ForeignKey(Client, on_delete=models.CASCADE, related_name="quotes")
    contact = models.ForeignKey(Contact, on_delete=models.SET_NULL, null=True, blank=True, related_name="quotes")
    title = models.CharField(max_length=200)
    status = models.CharField(max_length=12, choices=Status, default=Status.QUOTED, db_index=True)
    amount = models.DecimalField(max_digits=12, decimal_places=2, null=True, blank=True)
    valid_until = models.DateField(null=True, blank=True)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="quotes"
    )
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return self.title
