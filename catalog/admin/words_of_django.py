"""Sentences of Django's admin that its own Chinese says with a space between Han characters, with half-width marks, or
wrongly ("取消选中" for "Delete"). Collected here, they are said anew in our catalogue, which Django asks first."""

from __future__ import annotations

from django.utils.translation import gettext_noop as _
from django.utils.translation import ngettext_lazy

SAID_ANEW = (
    _(":"),
    # Lists
    _("Select %s"),
    _("Select %s to change"),
    _("Select %s to view"),
    _("Add %(name)s"),
    _(" By %(filter_title)s "),
    _("Filter"),
    _("Start typing to filter…"),
    ngettext_lazy("%(counter)s result", "%(counter)s results"),
    _("%(full_result_count)s total"),
    _("Action:"),
    _("No action selected."),
    _("Run the selected action"),
    _("Select this object for an action - {}"),
    _("Items must be selected in order to perform actions on them. No items have been changed."),
    _("0 of %(cnt)s selected"),
    _("Select all %(total_count)s %(module_name)s"),
    _("Delete selected %(verbose_name_plural)s"),
    ngettext_lazy("%(count)s %(name)s was changed successfully.", "%(count)s %(name)s were changed successfully."),
    # Forms
    _("Add"),
    _("Add %s"),
    _("Change %s"),
    _("View %s"),
    _("View on site"),
    _("Save and add another"),
    _("Add another %(verbose_name)s"),
    _("Add another %(model)s"),
    _("Change selected %(model)s"),
    _("Delete selected %(model)s"),
    _("View selected %(model)s"),
    _("%(model_name)s with this %(field_label)s already exists."),
    _("%(model_name)s with this %(field_labels)s already exists."),
    _("Select a valid choice. %(value)s is not one of the available choices."),
    _("(Hidden field %(name)s) %(error)s"),
    ngettext_lazy(
        "Ensure this value has at most %(limit_value)d character (it has %(show_value)d).",
        "Ensure this value has at most %(limit_value)d characters (it has %(show_value)d).",
    ),
    _("Ensure this value is less than or equal to %(limit_value)s."),
    _("Ensure this value is greater than or equal to %(limit_value)s."),
    # What was done
    _("The {name} “{obj}” was added successfully."),
    _("You may edit it again below."),
    _("The {name} “{obj}” was added successfully. You may add another {name} below."),
    _("The {name} “{obj}” was changed successfully."),
    _("The {name} “{obj}” was changed successfully. You may edit it again below."),
    _("The {name} “{obj}” was changed successfully. You may add another {name} below."),
    _("The %(name)s “%(obj)s” was deleted successfully."),
    _("Successfully deleted %(count)d %(items)s."),
    _("%(name)s with ID “%(key)s” doesn’t exist. Perhaps it was deleted?"),
    _("Added {name} “{object}”."),
    _("Changed {fields}."),
    _("Changed {fields} for {name} “{object}”."),
    _("Deleted {name} “{object}”."),
    # Deleting, history
    _("Cannot delete %(name)s"),
    _(
        'Are you sure you want to delete the %(object_name)s "%(escaped_object)s"? All of the following related items '
        "will be deleted:"
    ),
    _(
        "Deleting the %(object_name)s '%(escaped_object)s' would result in deleting related objects, but your account "
        "doesn't have permission to delete the following types of objects:"
    ),
    _(
        "Deleting the %(object_name)s '%(escaped_object)s' would require deleting the following protected related "
        "objects:"
    ),
    _(
        "Are you sure you want to delete the selected %(objects_name)s? All of the following objects and their related "
        "items will be deleted:"
    ),
    _(
        "Deleting the selected %(objects_name)s would result in deleting related objects, but your account doesn't "
        "have permission to delete the following types of objects:"
    ),
    _("Deleting the selected %(objects_name)s would require deleting the following protected related objects:"),
    _("Objects"),
    _("Change history: %s"),
    _("Recover deleted %(name)s"),
    _("There are no deleted objects to recover."),
    _("Choose a date from the list below to recover a deleted version of an object."),
    _("Choose a date from the list below to revert to a previous version of this object."),
    # The frame
    _("%(app)s administration"),
    _("Models in the %(name)s application"),
    _("Breadcrumbs"),
    _("Log out"),
    _("Logged out"),
    _("Thanks for spending some quality time with the web site today."),
    _("Recent actions"),
    _("My actions"),
    _("None available"),
    _(
        "Please enter the correct %(username)s and password for a staff account. Note that both fields may be "
        "case-sensitive."
    ),
    _(
        "You are authenticated as %(username)s, but are not authorized to access this page. Would you like to login to "
        "a different account?"
    ),
)
