from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('catalog', '0020_numbers_of_scores'),
    ]

    operations = [
        migrations.AddField(
            model_name='release',
            name='unsolved',
            field=models.CharField(blank=True, db_default='', default='', editable=False, max_length=64),
        ),
    ]
