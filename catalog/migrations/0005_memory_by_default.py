from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("catalog", "0004_weights_elsewhere"),
    ]

    operations = [
        migrations.RenameField(
            model_name="languagemodel",
            old_name="memory_q4_k_m_8k_bytes",
            new_name="memory_8k_bytes",
        ),
        migrations.AlterField(
            model_name="languagemodel",
            name="memory_8k_bytes",
            field=models.PositiveBigIntegerField(
                db_index=True, editable=False, null=True, verbose_name="memory at 8K of context (bytes)"
            ),
        ),
        migrations.AddField(
            model_name="languagemodel",
            name="memory_engine",
            field=models.CharField(
                blank=True, default="", editable=False, max_length=20, verbose_name="engine of that memory"
            ),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="languagemodel",
            name="memory_format",
            field=models.CharField(
                blank=True, default="", editable=False, max_length=40, verbose_name="weight format of that memory"
            ),
            preserve_default=False,
        ),
    ]
