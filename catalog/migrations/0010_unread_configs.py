from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('catalog', '0009_what_models_hold'),
    ]

    operations = [
        migrations.AddField(
            model_name='languagemodel',
            name='config_unread',
            field=models.BooleanField(default=False, help_text='For a kind of model that the calculator does not know: no memory is computed, and the page says why.', verbose_name='config.json is kept unread'),
        ),
    ]
