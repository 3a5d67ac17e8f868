"""The product's own forms."""

from django import forms

from project.demo.models import Person


class SearchForm(forms.Form):
    q = forms.CharField(
        label="Search",
        required=False,
        max_length=100,
        widget=forms.TextInput({"type": "search", "placeholder": "Name, e-mail or organisation"}),
    )
    status = forms.ChoiceField(label="Status", required=False, choices=[("", "Any status"), *Person.Status.choices])


class PersonForm(forms.ModelForm):
    class Meta:
        model = Person
        fields = [
            "first_name",
            "last_name",
            "email",
            "phone",
            "job_title",
            "city",
            "status",
            "lead_source",
            "organisation",
            "owner",
            "birth_date",
            "credit",
            "newsletter",
            "bio",
        ]
        widgets = {
            "birth_date": forms.DateInput({"type": "date"}, format="%Y-%m-%d"),
            "bio": forms.Textarea({"rows": 4}),
        }
