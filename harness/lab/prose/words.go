package prose

import "strings"

// vocabulary is the words of a language, frequent ones first, and its signs.
type vocabulary struct {
	words   []string
	gap     string // between words
	comma   string
	stop    string
	between string // between sentences
	capital bool
}

var vocabularies = [languages]vocabulary{
	English: latin(`the to and of a in we for is on you that this it with be have are will as can please our from your
		by at if not all would next any meeting report week team budget project review plan quarter customer contract
		draft numbers agenda call slides deadline update server mailbox migration invoice order delivery supplier schedule
		release version feedback question answer office travel training policy request approval signature document
		attachment minutes decision proposal estimate forecast revenue cost margin price discount factory warehouse pilot
		rollout backup outage incident ticket change window maintenance network firewall certificate account licence
		audit finance legal marketing sales support research design testing quality risk`),
	German: latin(`die der und wir in zu den das ist nicht mit für auf eine bitte Sie im dem von Besprechung Termin Bericht
		Angebot Rechnung Lieferung Vertrag Kunde Entwurf Woche Projekt Übersicht Rückmeldung Änderung Freigabe Störung
		Größe Maßnahme Prüfung Schulung Überweisung Umstellung Postfach Zertifikat Wartung Anhang Tagesordnung`),
	French: latin(`de la le et les des en un une pour que est nous dans vous avec sur merci réunion rapport contrat livraison
		facture équipe semaine projet à été déjà prévu côté délai réponse modèle mise œuvre étape général numéro élève
		boîte stratégie réseau bientôt hôtel château français décembre`),
	Russian: latin(`и в на не что по мы для с это к вы как отчёт встреча договор проект неделя команда счёт поставка клиент
		завтра сегодня пожалуйста изменение сервер почта бюджет решение вопрос ответ срок заказ склад проверка`),
	Hebrew: latin(`את של על לא זה עם אנחנו כל גם היום מחר פגישה דוח פרויקט לקוח חוזה תקציב צוות שבוע בבקשה תודה שאלה תשובה
		הזמנה משלוח חשבונית שרת דואר`),
	Chinese:    glued("的 我们 是 在 了 和 请 会议 报告 项目 客户 合同 预算 团队 本周 明天 安排 确认 文件 附件 系统 邮箱 迁移 问题 方案 发票 供应商 质量 时间 感谢", "，", "。"),
	Japanese:   glued("の は を に が です ます お願いします 会議 報告 資料 確認 予算 契約 来週 明日 担当 スケジュール サーバー メール 移行 ご連絡 よろしく 添付 見積 納期 カタカナ テスト", "、", "。"),
	Vietnamese: latin("và của là cho không được báo cáo cuộc họp dự án khách hàng hợp đồng ngân sách tuần này cảm ơn tệp đính kèm"),
	Greek: latin(`και το να η την του με για από στη συνάντηση αναφορά έργο πελάτης σύμβαση προϋπολογισμός ομάδα εβδομάδα
		ευχαριστώ ερώτηση απάντηση τιμολόγιο`),
}

func latin(words string) vocabulary {
	return vocabulary{words: strings.Fields(words), gap: " ", comma: ",", stop: ".", between: " ", capital: true}
}

func glued(words, comma, stop string) vocabulary {
	return vocabulary{words: strings.Fields(words), comma: comma, stop: stop}
}

var emoji = []string{"🙂", "👍", "🎉", "🚀", "👩‍💻", "🇪🇺", "✅", "☕"}

var topics = []string{"Project Tern", "Q2", "Action needed", "FYI", "Minutes", "[ticket 4711]", "Reminder", "Draft"}
