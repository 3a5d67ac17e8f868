"""What a fresh portal holds: HubSpot's own properties, the default pipelines, four owners, a demo token and app.

A property line is ``name:type:fieldType:label``; a leading ``!`` makes its value read-only, ``?`` means its
options live elsewhere (owners, pipelines), options follow as ``value=label`` after ``|``.
"""

from typing import Any

DEMO_TOKEN = "pat-na1-fakehub-demo-token-0001"
# The OAuth app of the demo; its redirect URIs are registered through the control API, since they must match exactly.
DEMO_APP: dict[str, Any] = {
    "client_id": "fakehub-client-id-0000-0000-0001",
    "client_secret": "fakehub-client-secret-0001",
    "app_id": 19083858,
    "name": "Fakehub demo app",
    "scopes": [
        "oauth",
        *(f"crm.objects.{name}.{way}" for name in ("contacts", "companies", "deals") for way in ("read", "write")),
    ],
    "optional_scopes": [
        "tickets",
        "crm.objects.owners.read",
        "crm.import",
        "crm.export",
        *(f"crm.schemas.{name}.{way}" for name in ("contacts", "companies", "deals") for way in ("read", "write")),
        *(f"crm.{family}.custom.{way}" for family in ("objects", "schemas") for way in ("read", "write")),
    ],
}
LIFECYCLE = (
    "subscriber=Subscriber,lead=Lead,marketingqualifiedlead=Marketing Qualified Lead,"
    "salesqualifiedlead=Sales Qualified Lead,opportunity=Opportunity,customer=Customer,"
    "evangelist=Evangelist,other=Other"
)
COMMON = """
!hs_object_id:number:number:Record ID
!hs_createdate:datetime:date:Object create date/time
!hs_lastmodifieddate:datetime:date:Last Modified Date
!hs_object_source:string:text:Record source
!hs_object_source_id:string:text:Record source ID
!hs_object_source_label:string:text:Record source label
!hs_merged_object_ids:enumeration:checkbox:Merged object IDs?
hubspot_owner_id:enumeration:select:Owner?
"""
PROPERTIES = {
    "0-1": (
        "contactinformation=Contact information",
        f"""
!createdate:datetime:date:Create Date
!lastmodifieddate:datetime:date:Last Modified Date
email:string:text:Email
!hs_additional_emails:enumeration:checkbox:Additional email addresses?
!hs_calculated_merged_vids:string:text:Merged vids with timestamps
firstname:string:text:First Name
lastname:string:text:Last Name
salutation:string:text:Salutation
phone:string:phonenumber:Phone Number
mobilephone:string:phonenumber:Mobile Phone Number
jobtitle:string:text:Job Title
company:string:text:Company Name
address:string:text:Street Address
city:string:text:City
state:string:text:State/Region
zip:string:text:Postal Code
country:string:text:Country/Region
website:string:text:Website URL
date_of_birth:string:text:Date of birth
message:string:textarea:Message
annualrevenue:string:text:Annual Revenue
lifecyclestage:enumeration:radio:Lifecycle Stage|{LIFECYCLE}
hs_lead_status:enumeration:radio:Lead Status|NEW=New,OPEN=Open,IN_PROGRESS=In Progress,OPEN_DEAL=Open Deal,\
UNQUALIFIED=Unqualified,ATTEMPTED_TO_CONTACT=Attempted to Contact,CONNECTED=Connected,BAD_TIMING=Bad Timing
numemployees:enumeration:select:Number of Employees|1-5=1-5,5-25=5-25,25-50=25-50,50-100=50-100,\
100-500=100-500,500-1000=500-1000,1000+=1000+
hs_buying_role:enumeration:checkbox:Buying Role|BUDGET_HOLDER=Budget Holder,CHAMPION=Champion,\
DECISION_MAKER=Decision Maker,END_USER=End User,INFLUENCER=Influencer
hs_email_optout:bool:booleancheckbox:Unsubscribed from all email
!num_unique_conversion_events:number:number:Number of Unique Forms Submitted
""",
    ),
    "0-2": (
        "companyinformation=Company information",
        f"""
!createdate:datetime:date:Create Date
name:string:text:Company name
domain:string:text:Company Domain Name
phone:string:phonenumber:Phone Number
address:string:text:Street Address
city:string:text:City
state:string:text:State/Region
zip:string:text:Postal Code
country:string:text:Country/Region
website:string:text:Website URL
description:string:textarea:Description
industry:enumeration:select:Industry|ACCOUNTING=Accounting,COMPUTER_SOFTWARE=Computer Software,\
CONSTRUCTION=Construction,EDUCATION_MANAGEMENT=Education Management,FINANCIAL_SERVICES=Financial Services,\
HIGHER_EDUCATION=Higher Education,HOSPITAL_HEALTH_CARE=Hospital & Health Care,MACHINERY=Machinery,RETAIL=Retail
numberofemployees:number:number:Number of Employees
annualrevenue:number:number:Annual Revenue
lifecyclestage:enumeration:radio:Lifecycle Stage|{LIFECYCLE}
""",
    ),
    "0-3": (
        "dealinformation=Deal information",
        """
!createdate:datetime:date:Create Date
dealname:string:text:Deal Name
amount:number:number:Amount
dealstage:enumeration:radio:Deal Stage?
pipeline:enumeration:select:Pipeline?
closedate:datetime:date:Close Date
dealtype:enumeration:radio:Deal Type|newbusiness=New Business,existingbusiness=Existing Business
description:string:textarea:Deal Description
!hs_is_closed:bool:calculation_equation:Is Deal Closed
!hs_is_closed_won:bool:calculation_equation:Is Closed Won
""",
    ),
    "0-5": (
        "ticketinformation=Ticket information",
        """
!createdate:datetime:date:Create date
subject:string:text:Ticket name
content:string:textarea:Ticket description
hs_pipeline:enumeration:select:Pipeline?
hs_pipeline_stage:enumeration:select:Ticket status?
hs_ticket_category:enumeration:checkbox:Category|PRODUCT_ISSUE=Product Issue,BILLING_ISSUE=Billing Issue,\
FEATURE_REQUEST=Feature Request,GENERAL_INQUIRY=General Inquiry
hs_ticket_priority:enumeration:select:Priority|LOW=Low,MEDIUM=Medium,HIGH=High,URGENT=Urgent
""",
    ),
    "0-46": (
        "note=Note",
        """
hs_timestamp:datetime:date:Activity date
hs_note_body:string:html:Note body
hs_attachment_ids:enumeration:checkbox:Attached file IDs?
""",
    ),
    "0-27": (
        "task=Task",
        """
hs_timestamp:datetime:date:Due date
hs_task_subject:string:text:Task Title
hs_task_body:string:html:Task notes
hs_task_status:enumeration:select:Task Status|NOT_STARTED=Not started,IN_PROGRESS=In progress,\
WAITING=Waiting,COMPLETED=Completed,DEFERRED=Deferred
hs_task_priority:enumeration:select:Priority|LOW=Low,MEDIUM=Medium,HIGH=High
hs_task_type:enumeration:select:Task Type|EMAIL=Email,CALL=Call,TODO=To-do
""",
    ),
    "0-48": (
        "call=Call",
        """
hs_timestamp:datetime:date:Activity date
hs_call_title:string:text:Call Title
hs_call_body:string:html:Call notes
hs_call_direction:enumeration:select:Call direction|INBOUND=Inbound,OUTBOUND=Outbound
hs_call_disposition:string:text:Call outcome
hs_call_duration:number:number:Call duration
hs_call_status:enumeration:select:Call status|BUSY=Busy,CALLING_CRM_USER=Calling CRM user,CANCELED=Canceled,\
COMPLETED=Completed,CONNECTING=Connecting,FAILED=Failed,IN_PROGRESS=In progress,NO_ANSWER=No answer,\
QUEUED=Queued,RINGING=Ringing
hs_call_from_number:string:text:From number
hs_call_to_number:string:text:To number
""",
    ),
    "0-47": (
        "meeting=Meeting",
        """
hs_timestamp:datetime:date:Activity date
hs_meeting_title:string:text:Meeting name
hs_meeting_body:string:html:Meeting description
hs_meeting_start_time:datetime:date:Meeting start time
hs_meeting_end_time:datetime:date:Meeting end time
hs_meeting_location:string:text:Location
hs_meeting_outcome:enumeration:select:Meeting outcome|SCHEDULED=Scheduled,COMPLETED=Completed,\
RESCHEDULED=Rescheduled,NO_SHOW=No show,CANCELED=Canceled
""",
    ),
    "0-49": (
        "email=Email",
        """
hs_timestamp:datetime:date:Activity date
hs_email_direction:enumeration:select:Email direction|EMAIL=Email,INCOMING_EMAIL=Incoming email,\
FORWARDED_EMAIL=Forwarded email
hs_email_status:enumeration:select:Email send status|BOUNCED=Bounced,FAILED=Failed,SCHEDULED=Scheduled,\
SENDING=Sending,SENT=Sent
hs_email_subject:string:text:Email subject
hs_email_text:string:textarea:Text body
hs_email_html:string:html:HTML body
hs_email_headers:string:textarea:Email headers
""",
    ),
}
DEAL_STAGES = (
    "appointmentscheduled=Appointment Scheduled=0.2,qualifiedtobuy=Qualified To Buy=0.4,"
    "presentationscheduled=Presentation Scheduled=0.6,decisionmakerboughtin=Decision Maker Bought-In=0.8,"
    "contractsent=Contract Sent=0.9,closedwon=Closed Won=1.0,closedlost=Closed Lost=0.0"
)
TICKET_STAGES = "1=New=OPEN,2=Waiting on contact=OPEN,3=Waiting on us=OPEN,4=Closed=CLOSED"
OWNERS = (
    ("41629779", "ada.lovelace@fakehub.dev", "Ada", "Lovelace", 9586504, False),
    ("41629780", "grace.hopper@fakehub.dev", "Grace", "Hopper", 9586505, False),
    ("41629781", "katherine.johnson@fakehub.dev", "Katherine", "Johnson", 9586506, False),
    ("41629782", "alan.turing@fakehub.dev", "Alan", "Turing", 9586507, True),
)


def read_property(line: str, group: str) -> tuple[dict[str, Any], bool]:
    """One line of the tables as (fields of a create, is its value read-only)."""
    head, _, listed = line.partition("|")
    external = head.endswith("?")
    name, kind, field_type, label = head.strip("!?").split(":")
    options = [option.partition("=") for option in listed.split(",")] if listed else []
    given = {
        "name": name,
        "label": label,
        "type": kind,
        "fieldType": field_type,
        "groupName": group,
        "externalOptions": external,
        "options": [{"value": value, "label": shown} for value, _, shown in options],
    }
    return given, line.startswith("!")


def lines_of(type_id: str) -> tuple[str, str, list[str]]:
    """(group name, group label, property lines) of one object type; custom types get the common ones."""
    group, table = PROPERTIES.get(type_id, ("objectinformation=Object information", ""))
    name, _, label = group.partition("=")
    return name, label, (table + COMMON).split("\n")


def deal_pipeline(pipeline_id: str, label: str, stages: str = DEAL_STAGES, order: int = 0) -> dict[str, Any]:
    found = []
    for place, stage in enumerate(stages.split(",")):
        stage_id, shown, probability = stage.split("=")
        closed = "true" if probability in {"1.0", "0.0"} else "false"
        metadata = {"isClosed": closed, "probability": probability}
        found.append({"id": stage_id, "label": shown, "displayOrder": place, "metadata": metadata})
    return {"id": pipeline_id, "label": label, "displayOrder": order, "stages": found}


def ticket_pipeline() -> dict[str, Any]:
    found = []
    for place, stage in enumerate(TICKET_STAGES.split(",")):
        stage_id, shown, state = stage.split("=")
        metadata = {"isClosed": str(state == "CLOSED").lower(), "ticketState": state}
        found.append({"id": stage_id, "label": shown, "displayOrder": place, "metadata": metadata})
    return {"id": "0", "label": "Support Pipeline", "displayOrder": 0, "stages": found}


def lifecycle_pipeline() -> dict[str, Any]:
    pairs = [stage.partition("=") for stage in LIFECYCLE.split(",")]
    stages = [
        {"id": value, "label": shown, "displayOrder": place, "metadata": {}}
        for place, (value, _, shown) in enumerate(pairs)
    ]
    return {
        "id": "contacts-lifecycle-pipeline",
        "label": "Lifecycle Stage Pipeline",
        "displayOrder": 0,
        "stages": stages,
    }
