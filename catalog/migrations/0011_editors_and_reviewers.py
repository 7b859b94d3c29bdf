"""Groups: an editor writes the catalogue and manages no users; a reviewer publishes, too."""

from django.db import migrations

WRITTEN = (
    *("accelerator", "alias", "benchmark", "family", "languagemodel", "licence", "organization", "score", "source"),
)
ACTIONS = ("add", "change", "delete", "view")
PUBLISH = ("publish", "languagemodel")
EDITOR = (*((action, model) for model in WRITTEN for action in ACTIONS), ("view", "removal"))
REVIEWER = (*EDITOR, ("delete", "removal"), PUBLISH)  # what was deleted comes back as it was, published or not
NAMES = {("publish", "languagemodel"): "Can publish language models"}


def make_groups(apps, schema_editor):
    """Permissions come after all migrations; those that are needed here are made as Django would make them."""
    group_rows, types = apps.get_model("auth", "Group"), apps.get_model("contenttypes", "ContentType")
    permissions = apps.get_model("auth", "Permission")
    for name, allowed in (("editor", EDITOR), ("reviewer", REVIEWER)):
        group, _made = group_rows.objects.get_or_create(name=name)
        for action, model in allowed:
            kind, _made = types.objects.get_or_create(app_label="catalog", model=model)
            words = NAMES.get((action, model)) or f"Can {action} {apps.get_model('catalog', model)._meta.verbose_name}"
            permission, _made = permissions.objects.get_or_create(
                content_type=kind, codename=f"{action}_{model}", defaults={"name": words}
            )
            group.permissions.add(permission)


class Migration(migrations.Migration):
    dependencies = [
        ("catalog", "0010_unread_configs"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="languagemodel",
            options={
                "ordering": ["slug"],
                "permissions": [("publish_languagemodel", "Can publish language models")],
                "verbose_name": "language model",
                "verbose_name_plural": "language models",
            },
        ),
        migrations.RunPython(make_groups, migrations.RunPython.noop),
    ]
