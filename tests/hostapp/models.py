"""Models of every shape a host may have: kinds of keys, inheritance, categories, related rows, computed values."""

import functools
import uuid
from decimal import Decimal

from django.contrib.auth.models import AbstractBaseUser
from django.db import models

from crmsync import api


class Status(models.Model):
    name = models.CharField(max_length=50, unique=True)


class Tag(models.Model):
    name = models.CharField(max_length=50, unique=True)


class Topic(models.Model):
    """A category whose values are not unique."""

    name = models.CharField(max_length=50)


class Client(models.Model):
    """A text key, given by hand."""

    code = models.CharField(max_length=20, primary_key=True)
    name = models.CharField(max_length=100, blank=True)
    api_token = models.CharField(max_length=100, blank=True)

    @property
    def shout(self) -> str:
        return self.name.upper()


class Job(models.Model):
    """A random key, a natural one beside it, and everything a value can be made of."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    number = models.SlugField(unique=True)
    title = models.CharField(max_length=100, blank=True)
    is_deleted = models.BooleanField(default=False)
    client = models.ForeignKey(Client, on_delete=models.SET_NULL, null=True, blank=True, related_name="jobs")
    status = models.ForeignKey(Status, on_delete=models.SET_NULL, null=True, blank=True, related_name="jobs")
    topic = models.ForeignKey(Topic, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    tags = models.ManyToManyField(Tag, blank=True, related_name="jobs")
    topics = models.ManyToManyField(Topic, through="Labelling", related_name="jobs")

    @property
    def headline(self) -> str:
        return f"{self.number}: {self.title}"

    @functools.cached_property
    def size(self) -> int | None:
        return len(self.title) or None

    @property
    def broken(self) -> str:
        if self.title == "bad":
            raise ZeroDivisionError(f"about {self.title} and its private value")
        return self.title

    @property
    def auth_token(self) -> str:
        return "never"

    @api.computed(reads=("lines", "client__name"))
    def total(self) -> Decimal:
        return sum((line.amount for line in self.lines.all()), Decimal(0))

    @property
    @api.computed(type="date")
    def day(self):
        return None

    def listed(self) -> bool:
        return True

    def plain(self) -> str:
        return "not offered"

    @api.computed()
    def with_argument(self, what) -> str:
        return what


class Labelling(models.Model):
    """Many-to-many with a model of its own between."""

    job = models.ForeignKey(Job, on_delete=models.CASCADE)
    topic = models.ForeignKey(Topic, on_delete=models.CASCADE)


class Line(models.Model):
    job = models.ForeignKey(Job, on_delete=models.CASCADE, null=True, related_name="lines")
    title = models.CharField(max_length=100, blank=True)
    amount = models.DecimalField(max_digits=10, decimal_places=2, default=0)
    done_at = models.DateTimeField(null=True, blank=True)
    is_paid = models.BooleanField(default=False)
    session_note = models.TextField(blank=True)


class UrgentJob(Job):
    class Meta:
        proxy = True


class Place(models.Model):
    name = models.CharField(max_length=100)
    city = models.CharField(max_length=100, blank=True)


class Restaurant(Place):
    stars = models.IntegerField(null=True, blank=True)


class Member(AbstractBaseUser):
    email = models.EmailField(unique=True)
    name = models.CharField(max_length=100, blank=True)

    USERNAME_FIELD = "email"


class Note(models.Model):
    """Points to nothing, and nothing points to it."""

    text = models.TextField(blank=True)


class Student(models.Model):
    name = models.CharField(max_length=100)


class Course(models.Model):
    title = models.CharField(max_length=100)
    students = models.ManyToManyField(Student, through="Enrolment", related_name="courses")


class Enrolment(models.Model):
    """Many-to-many with a model between that holds more than the two keys."""

    course = models.ForeignKey(Course, on_delete=models.CASCADE)
    student = models.ForeignKey(Student, on_delete=models.CASCADE)
    day = models.DateField()
    seat = models.PositiveIntegerField()
    note = models.CharField(max_length=100, blank=True)
